"""A database that fails over, or freezes, under processes that are not restarted."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import requests

from tests.faults.conftest import Deploy
from tests.faults.test_postgresql_restarts import Person, disconnect, pending, run
from tests.support.bank import Bank
from tests.support.deployment import Running, wait_until
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster

# The limit on silence, and what a busy machine adds to it.
LONGEST_SECONDS = 10.0


def ready(url: str) -> dict[str, bool]:
    answer = requests.get(f"{url}/readyz", timeout=10)
    checks = {name: check["ok"] for name, check in answer.json()["checks"].items()}
    assert answer.ok == all(checks.values())
    return checks


def listed(url: str, token: str) -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{url}/api/v1/providers", headers=bearer, timeout=20).status_code


Site = tuple[str, list[Person], Running]


@pytest.fixture(params=["8", "0"], ids=["pool", "no pool"])
def site(
    request: pytest.FixtureRequest, bank: Bank, deploy: Deploy, database: Cluster
) -> Iterator[Site]:
    """Return the address of web processes, people to disconnect, and the worker."""
    deployment = deploy(DATABASE_URL=database.url, DATABASE_POOL_SIZE=request.param)
    filled = run(deployment, "-m", "tests.support.fill_database", "3")
    people: list[Person] = [(token, key) for token, key in json.loads(filled)]
    port = free_port()
    with deployment.web(port), deployment.workers() as (worker,), deployment.beat():
        yield f"http://127.0.0.1:{port}", people, worker


def assert_recovers(site: Site, person: Person, database: Cluster) -> None:
    url, _, worker = site
    began = time.monotonic()
    wait_until(lambda: disconnect(url, person) == 200)
    assert time.monotonic() - began < LONGEST_SECONDS
    wait_until(lambda: ready(url)["database"])
    # The worker has lived through it too.
    wait_until(lambda: not pending(database.url), why=worker.said)


def test_a_read_only_database_answers_503(site: Site, database: Cluster, bank: Bank) -> None:
    url, (first, second, _), _ = site
    assert disconnect(url, first) == 200
    database.set_read_only("on")
    wait_until(lambda: not ready(url)["database"])
    assert {disconnect(url, second) for _ in range(20)} == {503}
    assert ready(url)["cache"]
    database.set_read_only("off")
    assert_recovers(site, second, database)
    assert len(bank.revoked) == 4


def test_a_frozen_database_is_given_up(site: Site, database: Cluster, bank: Bank) -> None:
    url, (first, second, third), _ = site
    assert disconnect(url, first) == 200
    with database.paused():
        began = time.monotonic()
        assert listed(url, second[0]) == 503
        between = time.monotonic()
        assert disconnect(url, second) == 503
        assert between - began < LONGEST_SECONDS
        assert time.monotonic() - between < LONGEST_SECONDS
        assert not ready(url)["database"]
    assert_recovers(site, second, database)
    assert_recovers(site, third, database)
    assert len(bank.revoked) == 6


def test_a_locked_table_holds_up_no_probe(site: Site, database: Cluster) -> None:
    url, (person, *_), _ = site
    with ThreadPoolExecutor(30) as clients, psycopg.connect(database.url) as lock:
        lock.execute("LOCK TABLE identity_user IN ACCESS EXCLUSIVE MODE")
        calls = [clients.submit(listed, url, person[0]) for _ in range(30)]
        time.sleep(1)
        for path in ("readyz", "healthz", "metrics"):
            began = time.monotonic()
            requests.get(f"{url}/{path}", timeout=10)
            assert time.monotonic() - began < 3
        lock.rollback()
        assert {call.result() for call in calls} == {200}


def test_a_statement_that_takes_long_is_waited_for(deploy: Deploy, database: Cluster) -> None:
    deployment = deploy(DATABASE_URL=database.url)
    script = (
        "from django.db import connection as c; cursor = c.cursor();"
        " cursor.execute('SELECT pg_sleep(6)'); print(cursor.fetchone())"
    )
    assert "('',)" in run(deployment, "manage.py", "shell", "--no-imports", "-c", script)
