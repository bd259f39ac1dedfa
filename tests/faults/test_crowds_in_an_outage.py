"""PostgreSQL is away, and many ask: each is told soon, and soon after its return all is well."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.faults.conftest import Deploy
from tests.faults.test_postgresql_restarts import run
from tests.support.deployment import wait_until
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster, cluster

CLIENTS = 64
LIST = "/api/v1/providers"


class Site:
    """A web process of 16 threads, and whoever asks it."""

    def __init__(self, url: str, token: str, database: Cluster) -> None:
        self.url, self.database = url, database
        self._bearer = {"Authorization": f"Bearer {token}"}

    def ask(self, path: str = LIST) -> tuple[requests.Response, float]:
        began = time.monotonic()
        answer = requests.get(self.url + path, headers=self._bearer, timeout=30)
        return answer, time.monotonic() - began

    def crowd(self, path: str = LIST) -> list[tuple[requests.Response, float]]:
        with ThreadPoolExecutor(CLIENTS) as threads:
            return list(threads.map(self.ask, [path] * CLIENTS))


@pytest.fixture
def site(db: None, deploy: Deploy) -> Iterator[Site]:
    with cluster() as database:
        deployment = deploy(DATABASE_URL=database.url, WEB_THREADS="16", DATABASE_POOL_SIZE="20")
        run(deployment, "manage.py", "migrate", "--verbosity", "0")
        ((token, _),) = json.loads(run(deployment, "-m", "tests.support.fill_database", "1"))
        port = free_port()
        with deployment.web(port):
            site = Site(f"http://127.0.0.1:{port}", token, database)
            site.ask()
            yield site


def assert_refused(answers: list[tuple[requests.Response, float]], *, within: float) -> None:
    assert {answer.status_code for answer, _ in answers} == {503}
    assert all("Retry-After" in answer.headers for answer, _ in answers)
    assert max(seconds for _, seconds in answers) < within


def test_none_waits_for_those_who_asked_before(site: Site) -> None:
    site.database.stop()
    try:
        # The first wait in vain for a session.
        assert_refused(site.crowd(), within=5)
        assert_refused(site.crowd("/admin/audit/auditevent/"), within=5)
        assert site.ask("/api/schema")[0].status_code == 200
        assert site.ask("/healthz")[1] < 1
    finally:
        site.database.start()
    back = time.monotonic()
    wait_until(lambda: site.ask()[0].ok)
    assert time.monotonic() - back < 5
    assert 503 not in {answer.status_code for answer, _ in site.crowd()}


def test_none_waits_in_line_for_a_frozen_one(site: Site) -> None:
    with site.database.paused():
        assert_refused(site.crowd(), within=8)
        assert_refused(site.crowd(), within=6)
    back = time.monotonic()
    wait_until(lambda: site.ask()[0].ok)
    assert time.monotonic() - back < 5
