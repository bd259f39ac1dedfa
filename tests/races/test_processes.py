"""Refreshes in processes of their own: what keeps them apart must stand in the database."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.db import connection as database
from rest_framework.test import APIClient

from providers.models import Connection
from tests.bank import Bank, connect
from tests.servers import Answer

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
SIZE = 3


def database_url() -> str:
    """Give the address of the tests' database."""
    told = database.settings_dict
    if database.vendor == "sqlite":
        return f"sqlite:///{quote(str(told['NAME']))}"
    access = (
        f"{quote(told['USER'])}:{quote(told['PASSWORD'])}@{told['HOST']}:{told['PORT'] or 5432}"
    )
    return f"postgres://{access}/{told['NAME']}"


@pytest.fixture
def environment(bank: Bank, tmp_path: Path, settings: LazySettings) -> dict[str, str]:
    """Describe to another process the service as it is under test."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "connections_project.settings",
        "DATABASE_URL": database_url(),
        "CREDENTIAL_KEYS": ",".join(settings.CREDENTIAL_KEYS),
        "OAUTH_CATALOG": str(tmp_path / "catalog.toml"),
        "OAUTH_BANK_CLIENT_ID": settings.OAUTH_CLIENTS["bank"].client_id,
        "OAUTH_BANK_CLIENT_SECRET": settings.OAUTH_CLIENTS["bank"].client_secret,
    }


@contextmanager
def refresher(
    connection: Connection, environment: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.races.refresher", str(connection.pk)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def refresh_at_once(environment: dict[str, str]) -> Callable[[Connection], list[str]]:
    def refresh_at_once(connection: Connection) -> list[str]:
        with ExitStack() as stack:
            running = [stack.enter_context(refresher(connection, environment)) for _ in range(SIZE)]
            for process in running:
                assert process.stdout
                assert process.stdout.readline() == "ready\n", process.communicate()[1]
            for process in running:
                assert process.stdin
                process.stdin.write("go\n")
                process.stdin.flush()
            return [process.communicate(timeout=30)[0].strip() for process in running]

    return refresh_at_once


def test_processes_that_refresh_at_once_spend_the_refresh_token_once(
    bank: Bank, api: APIClient, refresh_at_once: Callable[[Connection], list[str]]
) -> None:
    connection = connect(api)
    # Long enough for all of them to have read the row.
    bank.server.on("POST", "/token", replace(bank.tokens(), delay=1.0))
    results = refresh_at_once(connection)
    spent = [one.form["refresh_token"] for one in bank.token_requests("refresh_token")]
    assert spent == ["refresh-1"]
    connection.refresh_from_db()
    assert results == [str(connection.token_expires_at)] * SIZE
    assert connection.opened().refresh_token == "refresh-2"


def test_a_failure_is_shared_between_processes_too(
    bank: Bank, api: APIClient, refresh_at_once: Callable[[Connection], list[str]]
) -> None:
    connection = connect(api)
    bank.server.on("POST", "/token", Answer(500, delay=1.0))
    assert refresh_at_once(connection) == ["refresh_failed"] * SIZE
    assert len(bank.token_requests("refresh_token")) == 1
