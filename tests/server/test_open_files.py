"""Each connection is an open file: who opens many never takes the last one from a process."""

import os
import resource
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from connections_project.core.open_files import allow_open_files, connections_taken
from connections_project.sandbox.local.certificate import (
    Certificate,
    certificate_in,
    issue_where_missing,
)
from tests.support.process_environment import ROOT
from tests.support.real_server import RSGI, exchange, granian, request, serving

FILES = 600
MORE = 2 * FILES
HEALTH = request("GET", "/healthz", "Connection: close")


def refused(*options: str, files: int = FILES, **environment: str) -> str:
    """Return what a granian says that does not start."""
    done = subprocess.run(
        granian("--port", "0", *options, *RSGI, files=files),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_more_connections_than_files_end_nobody() -> None:
    allow_open_files()
    options = ("--http", "1", "--backlog", "8192", "--backpressure", "200")
    with serving(*options, *RSGI, files=FILES, GRANIAN_HTTP1_HEADER_READ_TIMEOUT="2000") as port:
        with ExitStack() as silent:
            for _ in range(MORE):
                silent.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert exchange(port, HEALTH, seconds=30).startswith(b"HTTP/1.1 200")
        assert exchange(port, HEALTH, seconds=30).startswith(b"HTTP/1.1 200")


def test_a_process_without_any_makes_room_for_another(tmp_path: Path) -> None:
    """Handshakes of TLS that never end count against no limit of granian's."""
    allow_open_files()
    tls = certificate_in(tmp_path)
    issue_where_missing(tls)
    options = ("--http", "1", "--backpressure", "200", "--respawn-failed-workers")
    with serving(*options, *RSGI, files=FILES, tls=tls) as port:
        with ExitStack() as silent:
            for _ in range(MORE):
                silent.enter_context(socket.create_connection(("127.0.0.1", port)))
            time.sleep(2)
        deadline = time.monotonic() + 40
        while not _answers(port, tls):
            assert time.monotonic() < deadline
            time.sleep(0.5)


def _answers(port: int, tls: Certificate) -> bool:
    try:
        return exchange(port, HEALTH, seconds=3, tls=tls).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@pytest.mark.parametrize(
    "options", [("--backlog", "8192"), ("--backpressure", "500"), ("--workers", "1")]
)
def test_none_starts_that_could_run_out_of_them(options: tuple[str, ...]) -> None:
    said = refused(*options)
    (line,) = {line for line in said.splitlines() if line.startswith("Open files: ")}
    assert f"may have {FILES}, and needs" in line
    assert "Traceback" not in said


def test_a_variable_says_it_too() -> None:
    assert "500 for connections" in refused(GRANIAN_BACKPRESSURE="500")


@pytest.mark.parametrize(
    ("options", "connections"),
    [
        ((), 1024),
        (("--backlog", "8192", "--workers", "2"), 4096),
        (("--backlog", "8192", "--backpressure", "7"), 7),
    ],
)
def test_it_knows_what_granian_takes(
    options: tuple[str, ...], connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/srv/.venv/bin/granian", *options, "a:b"])
    assert connections_taken() == connections


def test_production_is_allowed_enough() -> None:
    """65,536 are more than the documented 4,096 connections and 1,000 threads take."""
    unit = (ROOT / "deploy/systemd/connections-web.service").read_text(encoding="utf-8")
    assert "\nLimitNOFILE=65536\n" in unit
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert "ulimits: {nofile: 65536}" in compose.partition("\n  web:\n")[2].partition("\n\n")[0]


def test_another_server_is_not_asked() -> None:
    assert connections_taken() == 0


def test_the_soft_limit_is_raised() -> None:
    allow_open_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard or soft >= 65_536
