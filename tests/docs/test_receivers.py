"""The receivers of docs/integrating.md, each run as it stands there and told of a disconnect."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.events import audience
from connections_project.events.endpoints import create
from connections_project.events.models import Delivery
from connections_project.events.replay import resend
from connections_project.events.worker import deliver
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from tests.support.bank import Bank
from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = ROOT / "docs" / "integrating.md"
HAS_NODE = shutil.which("node") is not None
LANGUAGES = [
    pytest.param("python", sys.executable, "receiver.py"),
    pytest.param(
        "javascript",
        "node",
        "receiver.mjs",
        marks=pytest.mark.skipif(not HAS_NODE, reason="there is no Node.js on this machine"),
    ),
]


def receiver(language: str) -> str:
    section = GUIDE.read_text(encoding="utf-8").partition("\n## Receiving events\n")[2]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return str(block)


@contextmanager
def running(command: list[str], port: int, secret: str) -> Iterator["subprocess.Popen[str]"]:
    environment = os.environ | {"PORT": str(port), "SECRET": secret}
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_for(port)
            yield process
        finally:
            process.kill()


def wait_for(port: int) -> None:
    ends_at = time.monotonic() + 20
    while time.monotonic() < ends_at:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the receiver does not listen")


@pytest.mark.parametrize(("language", "program", "name"), LANGUAGES)
def test_a_receiver_takes_what_is_genuine(
    language: str,
    program: str,
    name: str,
    tmp_path: Path,
    api: APIClient,
    owner: User,
    bank: Bank,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)
    path, url = tmp_path / name, f"http://127.0.0.1:{(port := free_port())}/"
    path.write_text(receiver(language), encoding="utf-8")
    _, secret = create(url=url, origin=command_origin(None))
    with running([program, str(path)], port, secret) as process:
        api.delete(f"/api/v1/auth/{connection_of(owner).pk}/disconnect")
        resend(list(Delivery.objects.values_list("pk", flat=True)), origin=command_origin(None))
        assert list(deliver()) == ["delivered"] * 2
        forged = {
            "webhook-id": "1",
            "webhook-timestamp": str(int(time.time())),
            "webhook-signature": "v1,AAAA",
        }
        assert requests.post(url, data=b"{}", headers=forged, timeout=5).status_code == 401
        assert requests.post(url, data=b"{}", timeout=5).status_code == 401
        process.kill()
        said, _ = process.communicate(timeout=10)
    assert said.splitlines() == [
        "connection.disconnected disconnected",
        "revocation.succeeded disconnected",
    ]
