"""All sessions are ended by the server, which itself stays: an operator, or a failover, does so."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.faults.conftest import Deploy
from tests.faults.test_databases_change import listed
from tests.faults.test_postgresql_restarts import run
from tests.support.deployment import wait_until
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster

SESSIONS = 6
# A new session, and what a busy machine adds to it; a request that waits in vain takes three.
LONGEST_SECONDS = 1.5
OTHERS = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"


def count(session: "psycopg.Connection[tuple[int]]", waiting: str = "") -> int:
    row = session.execute(f"SELECT count(*) {OTHERS} {waiting}".encode()).fetchone()
    return row[0] if row else 0


def have_many_sessions(database: Cluster, url: str, token: str) -> None:
    """Hold up as many requests at once: each keeps a session of the pool's."""
    with (
        ThreadPoolExecutor(SESSIONS) as threads,
        psycopg.connect(database.url, autocommit=True) as observer,
    ):
        with psycopg.connect(database.url) as holder:
            holder.execute("LOCK TABLE providers_connection IN ACCESS EXCLUSIVE MODE")
            found = [threads.submit(listed, url, token) for _ in range(SESSIONS)]
            wait_until(lambda: count(observer, "AND wait_event_type = 'Lock'") == SESSIONS)
        assert {one.result() for one in found} == {200}


@pytest.mark.parametrize("at_once", [1, SESSIONS])
def test_requests_after_it_are_answered(deploy: Deploy, database: Cluster, at_once: int) -> None:
    deployment = deploy(DATABASE_URL=database.url)
    ((token, _),) = json.loads(run(deployment, "-m", "tests.support.fill_database", "1"))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with deployment.web(port) as web:
        have_many_sessions(database, url, token)
        with psycopg.connect(database.url, autocommit=True) as session:
            assert count(session) >= SESSIONS
            session.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}".encode())
            wait_until(lambda: not count(session, "AND state = 'idle'"))
        statuses: Counter[int] = Counter()
        with ThreadPoolExecutor(at_once) as threads:
            for _ in range(3):
                began = time.monotonic()
                statuses.update(threads.map(lambda _: listed(url, token), range(at_once)))
                assert time.monotonic() - began < LONGEST_SECONDS, (statuses, web.said())
    assert set(statuses) == {200}, web.said()
