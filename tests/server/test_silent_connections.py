"""Connections that never bring a request are closed: each takes a place that others wait for."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connections_project.sandbox.local.certificate import certificate_in
from connections_project.sandbox.local.processes import Program, service, web
from tests.support.process_environment import ROOT
from tests.support.real_server import RSGI, request, serving

HTTP_1 = ("--http", "1")
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


@pytest.mark.parametrize("start", [web, service])
def test_local_servers_speak_http_1_alone(start: Callable[..., Program]) -> None:
    assert " ".join(HTTP_1) in " ".join(start(8443, CERTIFICATE).command)


def test_production_speaks_http_1_alone() -> None:
    unit = (ROOT / "deploy/systemd/connections-web.service").read_text(encoding="utf-8")
    assert f"granian --interface rsgi {' '.join(HTTP_1)} " in unit
    container = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    command = re.search(r"^CMD (\[.*?\])$", container, re.DOTALL | re.MULTILINE)
    assert command is not None
    assert " ".join(HTTP_1) in " ".join(json.loads(command[1].replace("\\\n", "")))
    shown = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    commands = re.findall(r"granian --interface rsgi (\S+ \S+)", shown)
    assert commands
    assert set(commands) == {" ".join(HTTP_1)}
