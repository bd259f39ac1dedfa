"""A PgBouncer in transaction mode, in front of a cluster of a test's own."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.deployment import wait_until
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster

_SETTINGS = """
[databases]
postgres = host=127.0.0.1 port={cluster.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
server_login_retry = 1
"""


@contextmanager
def pgbouncer(cluster: Cluster, *, sessions: int = 2) -> Iterator[str]:
    """Yield the address by which the cluster is reached through the pooler.

    Args:
        sessions: How many it has for everybody; with two each transaction is likely to get another
            one.
    """
    program, port = _program_or_skip(), free_port()
    settings = cluster.folder / "pgbouncer.ini"
    text = _SETTINGS.format(cluster=cluster, port=port, sessions=sessions)
    settings.write_text(text, encoding="ascii")
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    with subprocess.Popen(
        [program, "--quiet", str(settings)],
        # It refuses to run as root.
        user=pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until(lambda: _answers(url))
            yield url
        finally:
            process.kill()


def _program_or_skip() -> str:
    # Debian has it where only an administrator looks for programs.
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:{Path('/usr/sbin')}")
    if found is None:
        message = "left out: no pgbouncer"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
