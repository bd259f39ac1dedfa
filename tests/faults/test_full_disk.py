"""PostgreSQL's disk is full: no platform is asked for what could not be stored."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.faults.conftest import Deploy
from tests.faults.test_databases_change import ready
from tests.faults.test_postgresql_restarts import Person, run
from tests.support.bank import Bank
from tests.support.deployment import wait_until
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster, cluster

PEOPLE = 5


@pytest.fixture
def on_a_small_disk(db: None, files_with_tables: Path) -> Iterator[Cluster]:
    with cluster(files_with_tables, megabytes=300) as running:
        yield running


def refresh(url: str, person: Person) -> int:
    token, connection_id = person
    path = f"{url}/api/v1/providers/{connection_id}/token-refreshes"
    bearer = {"Authorization": f"Bearer {token}"}
    return requests.post(path, json={"force": True}, headers=bearer, timeout=90).status_code


def test_no_refresh_token_is_spent(deploy: Deploy, on_a_small_disk: Cluster, bank: Bank) -> None:
    deployment = deploy(DATABASE_URL=on_a_small_disk.url)
    filled = run(deployment, "-m", "tests.support.fill_database", str(PEOPLE))
    people: list[Person] = [(token, key) for token, key in json.loads(filled)]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with deployment.web(port):
        wait_until(lambda: ready(url)["database"])
        with on_a_small_disk.full_disk():
            assert not ready(url)["database"]
            assert {refresh(url, person) for person in people} == {503}
            assert bank.token_requests("refresh_token") == []
        wait_until(lambda: ready(url)["database"])
        wait_until(lambda: refresh(url, people[0]) == 201)
        assert {refresh(url, person) for person in people[1:]} == {201}
