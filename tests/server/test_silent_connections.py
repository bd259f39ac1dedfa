"""Connections that never bring a request are closed: each takes a place that others wait for."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connections_project.core.open_files import allow_open_files
from connections_project.sandbox.local.certificate import certificate_in
from connections_project.sandbox.local.processes import Program, service, web
from tests.support.process_environment import ROOT
from tests.support.real_server import RSGI, exchange, request, serving

HTTP_1 = ("--http", "1")
MANY = ("--backlog", "8192")
OPTIONS = " ".join(HTTP_1 + MANY)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113, section 3.4.
NO_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
BEGINNINGS = {
    "nothing": b"",
    "a byte": b"G",
    "half a head": b"GET /api/open HTTP/1.1\r\nHost: local",
    "half a preface of HTTP/2": PREFACE[:8],
    "HTTP/2, and no stream": PREFACE + NO_SETTINGS,
    "a request, and no second one": request("GET", "/api/open"),
}
CERTIFICATE = certificate_in(Path("folder"))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(*HTTP_1, *RSGI, GRANIAN_HTTP1_HEADER_READ_TIMEOUT="500") as port:
        yield port


@pytest.mark.parametrize("begun", BEGINNINGS.values(), ids=BEGINNINGS)
def test_silence_ends_a_connection(port: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(begun)
        while client.recv(65536):
            pass


def test_silent_ones_leave_room_for_others() -> None:
    allow_open_files()
    with serving(*HTTP_1, *MANY, *RSGI) as port, ExitStack() as silent:
        for _ in range(1500):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        answer = exchange(port, request("GET", "/healthz", "Connection: close"), seconds=10)
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("start", [web, service])
def test_local_servers_are_told_so(start: Callable[..., Program]) -> None:
    assert OPTIONS in " ".join(start(8443, CERTIFICATE).command)


def test_production_is_told_so() -> None:
    unit = (ROOT / "deploy/systemd/connections-web.service").read_text(encoding="utf-8")
    assert f"granian --interface rsgi {OPTIONS} " in unit
    container = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    command = re.search(r"^CMD (\[.*?\])$", container, re.DOTALL | re.MULTILINE)
    assert command is not None
    assert OPTIONS in " ".join(json.loads(command[1].replace("\\\n", "")))
    shown = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    commands = re.findall(r"granian --interface rsgi (\S+ \S+ \S+ \S+)", shown)
    assert commands
    assert set(commands) == {OPTIONS}
