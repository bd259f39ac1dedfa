"""Processes that serve nothing else answer probes and scrapes at an address of their own."""

import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.conf import LazySettings

from connections_project.conf.values import listen_address
from connections_project.core import probe_server
from tests.races.conftest import wait_until
from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT, environment_with

TOKEN = "a token for the metrics"


@pytest.mark.django_db(transaction=True)
def test_run_background_answers_by_itself(tmp_path: Path) -> None:
    port = free_port()
    (catalogue := tmp_path / "catalog.toml").touch()
    environment = environment_with(catalogue=catalogue)
    environment |= {"BACKGROUND_ADDRESS": f"127.0.0.1:{port}", "METRICS_TOKEN": TOKEN}
    command = [sys.executable, "manage.py", "run_background", "--forever"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            ends_at = time.monotonic() + 30
            while not answers(port) and time.monotonic() < ends_at:
                time.sleep(0.1)
            assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["checks"]
            # No page, no API: the port may be reachable where the service is not.
            for path in ("/", "/admin/", "/api/v1/platforms"):
                assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code == 404
            url = f"http://127.0.0.1:{port}/metrics"
            assert requests.get(url, timeout=5).status_code == 401
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            assert "connections_build_info{" in requests.get(url, headers=bearer, timeout=5).text
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_a_taken_address_stops_no_work(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.BACKGROUND_ADDRESS = other.getsockname()
        assert probe_server.start() is None
    assert "Nothing answers at BACKGROUND_ADDRESS" in caplog.text
    settings.BACKGROUND_ADDRESS = None
    assert probe_server.start() is None


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "[::1]:{}"])
def test_it_answers_at_an_address_of_either_kind(settings: LazySettings, address: str) -> None:
    with listening(settings, host := address.format(free_port())):
        assert requests.get(f"http://{host}/healthz", timeout=5).json() == {"status": "ok"}


def test_who_goes_away_leaves_a_line_and_no_traceback(
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listening(settings, f"127.0.0.1:{(port := free_port())}"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            # Closed so, a connection is reset: as balancers end what was to show an open port.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: caplog.messages)
    assert caplog.messages == ["A probe was not answered (ConnectionResetError)"]
    assert "Traceback" not in capsys.readouterr().err


@contextmanager
def listening(settings: LazySettings, address: str) -> Iterator[None]:
    settings.BACKGROUND_ADDRESS = listen_address(address)
    server = probe_server.start()
    assert server is not None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
