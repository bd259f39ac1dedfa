"""Sessions of PostgreSQL fall silent, while new ones are served: its address has moved."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.faults.conftest import Deploy
from tests.faults.test_databases_change import (
    LONGEST_SECONDS,
    Site,
    assert_recovers,
    listed,
)
from tests.faults.test_frozen_behind_pgbouncer import SLEEP, timed
from tests.faults.test_postgresql_restarts import Person, disconnect, run
from tests.support.bank import Bank
from tests.support.deployment import Deployment, wait_until
from tests.support.pgbouncer import pgbouncer
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster
from tests.support.process_environment import ROOT
from tests.support.relay import Relay

Move = Callable[[], None]


@pytest.fixture
def relay(database: Cluster) -> Iterator[Relay]:
    relay = Relay(database.url)
    with relay.open():
        yield relay


@pytest.fixture
def move(relay: Relay, database: Cluster) -> Move:
    """Return what leaves all sessions behind; the server that they knew knows nothing of them."""

    def move() -> None:
        relay.fall_silent()
        database.end_sessions()

    return move


@contextmanager
def direct(relay: Relay, database: Cluster) -> Iterator[str]:
    yield relay.url


@contextmanager
def pooled(relay: Relay, database: Cluster) -> Iterator[str]:
    with pgbouncer(replace(database, port=relay.port), sessions=8) as url:
        yield url


WAYS = [("8", direct), ("0", direct), ("0", pooled)]


@pytest.fixture(params=WAYS, ids=["pool", "no pool", "behind PgBouncer"])
def deployment(
    request: pytest.FixtureRequest, deploy: Deploy, relay: Relay, database: Cluster
) -> Iterator[Deployment]:
    pool_size, way = request.param
    with way(relay, database) as url:
        yield deploy(DATABASE_URL=url, DATABASE_POOL_SIZE=pool_size)


@pytest.fixture
def site(deployment: Deployment, bank: Bank) -> Iterator[Site]:
    filled = run(deployment, "-m", "tests.support.fill_database", "3")
    people: list[Person] = [(token, key) for token, key in json.loads(filled)]
    port = free_port()
    with deployment.web(port), deployment.workers() as (worker,), deployment.beat():
        yield f"http://127.0.0.1:{port}", people, worker


def test_requests_and_workers_go_on(site: Site, move: Move, database: Cluster, bank: Bank) -> None:
    url, (first, second, third), _ = site
    with ThreadPoolExecutor(16) as threads:
        calls = [lambda: listed(url, second[0])] * 16
        assert set(threads.map(lambda call: call(), calls)) == {200}
        assert disconnect(url, first) == 200
        move()
        for status, seconds in threads.map(timed, calls):
            assert status in {200, 503}
            assert seconds < LONGEST_SECONDS
    assert_recovers(site, second, database)
    assert_recovers(site, third, database)
    assert len(bank.revoked) == 6


LONG = "SELECT pg_sleep(600)%"


def assert_fails(deployment: Deployment, database: Cluster, do: Callable[[], object]) -> None:
    """Run a command with a long statement, do something about it then, and see that it fails."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SLEEP % 600]
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(deployment.environment), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_until(lambda: database.processes_at(LONG))
            do()
            said = process.communicate(timeout=2 * LONGEST_SECONDS)[1]
        finally:
            process.kill()
    assert process.returncode == 1
    assert "OperationalError" in said


def test_a_command_under_way_ends(deployment: Deployment, move: Move, database: Cluster) -> None:
    assert_fails(deployment, database, move)


def test_a_process_that_stands_still_is_given_up(deploy: Deploy, database: Cluster) -> None:
    """Not its server, which shows it at work; its own limit is not heeded."""
    deployment = deploy(DATABASE_URL=database.url, DATABASE_STATEMENT_TIMEOUT_SECONDS="5")
    stopped: list[int] = []

    def stop() -> None:
        stopped.extend(database.processes_at(LONG))
        os.kill(stopped[0], signal.SIGSTOP)

    try:
        assert_fails(deployment, database, stop)
    finally:
        os.kill(stopped[0], signal.SIGCONT)
