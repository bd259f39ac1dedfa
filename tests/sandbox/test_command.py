"""`manage.py sandbox`: how it starts, how it ends, and when it refuses."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from connections_project.sandbox.catalogue import CATALOG_FILE
from tests.support.sandbox_server import REDIRECT_URI, ROOT, wait_until_ready

MANAGE = [sys.executable, "manage.py", "sandbox"]
MODULE = [sys.executable, "-m", "connections_project.sandbox"]
CLIENT = {
    "SANDBOX_CLIENT_ID": "client",
    "SANDBOX_CLIENT_SECRET": "secret of the client",
    "SANDBOX_REDIRECT_URIS": REDIRECT_URI,
}


def environment(**given: str) -> dict[str, str]:
    service = {"DJANGO_SETTINGS_MODULE": "connections_project.settings", "ENV_FILE": os.devnull}
    return os.environ | service | given


def finished(command: list[str], **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment(**given), capture_output=True, text=True, timeout=30
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_services_client_till_stopped(tmp_path: Path, stop: signal.Signals) -> None:
    given = environment(
        DEBUG="true",
        OAUTH_CATALOG=str(CATALOG_FILE),
        OAUTH_SANDBOX_CLIENT_ID="own-client",
        OAUTH_SANDBOX_CLIENT_SECRET="own-secret",
    )
    log_path, database = tmp_path / "log", tmp_path / "bank.sqlite3"
    command = [*MANAGE, "--port", "0", "--database", str(database)]
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=given, stdout=log, stderr=log) as process,
    ):
        try:
            url = wait_until_ready(process, log_path)
            asked = {"token": "none"}
            own = ("own-client", "own-secret")
            answer = requests.post(f"{url}/oauth/introspect", data=asked, auth=own, timeout=10)
            assert answer.json() == {"active": False}
        finally:
            process.send_signal(stop)
    assert process.returncode == 0
    assert database.exists()
    said = log_path.read_text(encoding="utf-8")
    assert "Sign in as ada with the password" in said
    assert said.endswith("Sandbox stopped.\n")


@pytest.mark.parametrize(("command", "off"), [(MANAGE, "false"), (MODULE, "false"), (MODULE, "")])
def test_it_refuses_to_run_with_debug_off(command: list[str], off: str, tmp_path: Path) -> None:
    database = tmp_path / "bank.sqlite3"
    refused = finished(
        command, **CLIENT, DEBUG=off, SANDBOX_PORT="0", SANDBOX_DATABASE=str(database)
    )
    assert refused.returncode == 1
    assert "DEBUG is off" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not database.exists()


def test_it_names_a_port_that_is_taken(taken_port: int, tmp_path: Path) -> None:
    database = tmp_path / "bank.sqlite3"
    command = [*MANAGE, "--port", str(taken_port), "--database", str(database)]
    refused = finished(command, **CLIENT, DEBUG="true")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Sandbox: port {taken_port} of 127.0.0.1 is taken: "
        "free it, or choose another with --port\n"
    )
    assert not database.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANDBOX_CLIENT_ID", ""),
        ("SANDBOX_CLIENT_SECRET", ""),
        ("SANDBOX_REDIRECT_URIS", ""),
        ("SANDBOX_PORT", "nine thousand"),
        ("SANDBOX_PORT", "70000"),
        ("SANDBOX_ACCESS_TOKEN_SECONDS", "0"),
    ],
)
def test_a_wrong_value_stops_the_start_in_one_line(name: str, value: str, tmp_path: Path) -> None:
    given = CLIENT | {"DEBUG": "true", "SANDBOX_PORT": "0", name: value}
    refused = finished(MODULE, **given, SANDBOX_DATABASE=str(tmp_path / "bank.sqlite3"))
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert f"{name} is" in refused.stderr or f"port {value}" in refused.stderr
    assert CLIENT["SANDBOX_CLIENT_SECRET"] not in refused.stderr


def test_its_migrations_are_complete() -> None:
    command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run", "sandbox"]
    given = {"DEBUG": "true", "DJANGO_SETTINGS_MODULE": "connections_project.sandbox.settings"}
    checked = finished(command, **given)
    assert checked.returncode == 0, checked.stdout
