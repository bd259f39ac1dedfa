"""What web servers write about requests whose addresses bear a code and a state."""

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.support.bank import Bank, start
from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT, environment_with
from tests.support.token_probe import ProbedClient

pytestmark = pytest.mark.django_db(transaction=True)

GRANIAN = ("-m", "granian", "--host", "127.0.0.1", "--no-ws", "--access-log")
RSGI = ("--interface", "rsgi", "connections_project.rsgi:application")
WSGI = ("--interface", "wsgi", "connections_project.wsgi:application")
SERVERS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "granian": lambda port: (*GRANIAN, *RSGI, "--port", str(port)),
    "granian with WSGI": lambda port: (*GRANIAN, *WSGI, "--port", str(port)),
    "runserver": lambda port: ("manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"),
}


@contextmanager
def serving(name: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, *SERVERS[name](port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        ) as server,
    ):
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("name", SERVERS)
def test_no_server_logs_a_code_or_a_state(
    name: str, api: ProbedClient, bank: Bank, tmp_path: Path
) -> None:
    code, state = secrets.token_urlsafe(24), start(api)
    query = {"code": code, "state": state}
    log = tmp_path / "server.log"
    environment = environment_with("bank", catalogue=tmp_path / "catalog.toml")
    with serving(name, environment | {"LOG_FORMAT": "json"}, log) as url:
        for path in ("/oauth/callback/bank", "/oauth/callback/nowhere", "/nowhere", "/sign-in"):
            requests.get(f"{url}{path}", params=query, timeout=10)
        requests.post(f"{url}/api/v1/providers/callback", params=query, timeout=10)
        requests.put(f"{url}/api/v1/providers/callback", params=query, timeout=10)
        with socket.create_connection(("127.0.0.1", int(url.rsplit(":")[-1])), 10) as raw:
            raw.sendall(f"GET /oauth/callback/bank?code={code}&state={state} a b\r\n\r\n".encode())
            raw.recv(1000)
    written = log.read_text(encoding="utf-8")
    assert "/oauth/callback/bank" in written
    assert code not in written
    assert state not in written
