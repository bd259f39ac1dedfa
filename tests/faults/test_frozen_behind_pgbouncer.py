"""PostgreSQL freezes behind a PgBouncer that lives, and lets callers in by itself."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from tests.faults.conftest import Deploy
from tests.faults.test_databases_change import (
    LONGEST_SECONDS,
    Site,
    assert_recovers,
    listed,
    ready,
)
from tests.faults.test_postgresql_restarts import Person, disconnect, run
from tests.support.deployment import Deployment
from tests.support.pgbouncer import pgbouncer
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster
from tests.support.process_environment import ROOT

Result = TypeVar("Result")

# As a shell's, which has the text of a sleep of so many seconds.
SLEEP = (
    "from django.db import connection as c; cursor = c.cursor();"
    " cursor.execute('SELECT pg_sleep(%s)'); print(cursor.fetchone())"
)


@pytest.fixture
def behind(deploy: Deploy, database: Cluster) -> Iterator[Deployment]:
    with pgbouncer(database, sessions=8) as url:
        yield deploy(DATABASE_URL=url, DATABASE_POOL_SIZE="0")


@pytest.fixture
def site(behind: Deployment) -> Iterator[Site]:
    filled = run(behind, "-m", "tests.support.fill_database", "3")
    people: list[Person] = [(token, key) for token, key in json.loads(filled)]
    port = free_port()
    with behind.web(port), behind.workers() as (worker,), behind.beat():
        yield f"http://127.0.0.1:{port}", people, worker


def timed(call: Callable[[], Result]) -> tuple[Result, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_it_is_given_up(site: Site, database: Cluster) -> None:
    url, (first, second, third), _ = site
    assert disconnect(url, first) == 200
    calls = [lambda: listed(url, second[0]), lambda: disconnect(url, second)] * 8
    with database.paused(), ThreadPoolExecutor(len(calls)) as threads:
        for _ in range(2):
            for status, seconds in threads.map(timed, calls):
                assert status == 503
                assert seconds < LONGEST_SECONDS
        assert not ready(url)["database"]
        # Once it is known, all but one are told at once.
        answers = sorted(seconds for _, seconds in threads.map(timed, calls))
        assert answers[-2] < 2
    assert_recovers(site, second, database)
    assert_recovers(site, third, database)


def test_a_command_gives_up(behind: Deployment, database: Cluster) -> None:
    command = [sys.executable, "manage.py", "list_teams"]
    with database.paused():
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=dict(behind.environment),
            check=False,
            capture_output=True,
            text=True,
            timeout=2 * LONGEST_SECONDS,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database can't be reached")


@pytest.mark.parametrize(("sessions", "sleep"), [(1, 4), (2, 9)])
def test_a_busy_pooler_is_not_silent(
    deploy: Deploy, database: Cluster, sessions: int, sleep: int
) -> None:
    with pgbouncer(database, sessions=sessions) as url:
        deployment = deploy(DATABASE_URL=url, DATABASE_POOL_SIZE="0")
        script = SLEEP % sleep
        assert "('',)" in run(deployment, "manage.py", "shell", "--no-imports", "-c", script)
