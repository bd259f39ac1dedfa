"""Refreshes in processes of their own: what keeps them apart must stand in the database."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from providers.models import Connection
from tests.support.bank import Bank, connect
from tests.support.process_environment import ROOT, environment_with

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

SIZE = 3


@pytest.fixture
def environment(bank: Bank, tmp_path: Path) -> dict[str, str]:
    return environment_with("bank", catalogue=tmp_path / "catalog.toml")


@contextmanager
def refresher(
    connection: Connection, environment: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.support.refreshing_process", str(connection.pk)]
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


def test_parallel_processes_refresh_once(
    bank: Bank, api: APIClient, refresh_at_once: Callable[[Connection], list[str]]
) -> None:
    connection = connect(api)
    bank.server.on("POST", "/token", replace(bank.tokens(), delay=0.7))
    results = refresh_at_once(connection)
    spent = [one.form["refresh_token"] for one in bank.token_requests("refresh_token")]
    assert spent == ["refresh-1"]
    connection.refresh_from_db()
    assert results == [str(connection.token_expires_at)] * SIZE
    assert connection.opened().refresh_token == "refresh-2"
