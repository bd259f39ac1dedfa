"""What production stands on is taken away: real servers, real worker processes.

Only on the stack of production; on SQLite there is nothing of it.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from tests.support.bank import Bank
from tests.support.deployment import Deployment
from tests.support.postgresql_cluster import Cluster, cluster
from tests.support.process_environment import ROOT, environment_with

# Times that let a test see a lost worker's lease end, and a retry.
SHORT_TIMES = {
    "REVOCATION_LEASE_SECONDS": "2",
    "REVOCATION_FIRST_RETRY_SECONDS": "1",
    "DATABASE_POOL_SIZE": "8",
    "WEB_THREADS": "8",
    "DRAIN_SECONDS": "0",
}


@pytest.fixture(autouse=True)
def _on_the_stack_of_production(settings: LazySettings) -> None:
    if connection.vendor != "postgresql" or not settings.REDIS_URL:
        pytest.skip("it is about PostgreSQL and Redis")


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(bank: Bank, tmp_path: Path) -> Deploy:
    """Return a deployment on the tests' own database and Redis, unless `changed` says otherwise."""

    def deploy(*slugs: str, **changed: str) -> Deployment:
        environment = environment_with(*(slugs or ["bank"]), catalogue=tmp_path / "catalog.toml")
        # Its log is its own, and so are the heads of it.
        heads = {"AUDIT_HEADS_FILE": f"{tmp_path}/audit-heads.jsonl"}
        return Deployment(environment | SHORT_TIMES | heads | changed, tmp_path)

    return deploy


@pytest.fixture
def database(db: None, files_with_tables: Path) -> Iterator[Cluster]:
    """Run a cluster of the test's own, with the service's tables."""
    with cluster(files_with_tables) as running:
        yield running


@pytest.fixture(scope="session")
def files_with_tables() -> Path:
    """Make the files of a cluster, once for all workers: its tables take longest of all."""
    files = Path(os.environ["TESTS_FOLDER"]) / "cluster"
    with files.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not files.exists():
            _make(files)
    return files


def _make(files: Path) -> None:
    with cluster() as made:
        (catalogue := files.with_suffix(".toml")).touch()
        environment = environment_with(catalogue=catalogue)
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment | {"DATABASE_URL": made.url}, check=True)
        made.keep(files)
