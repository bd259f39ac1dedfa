"""The sandbox's receiver of events, told by the service's own signatures and by forgers."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connections_project.core.ids import uuid7
from connections_project.events.models import Endpoint
from connections_project.events.signing import headers, new_secret, sealed_secret
from connections_project.sandbox.local.processes import ROOT
from connections_project.sandbox.receiver import EventReceiver
from tests.support.platform_server import free_port

BODY = b'{"type":"connection.deleted","data":{"connection":{"platform":"bank","status":"gone"}}}'


def signed(secret: str, event_id: str = "1", body: bytes = BODY) -> dict[str, str]:
    endpoint = Endpoint(id=uuid7(), url="http://127.0.0.1/")
    endpoint.sealed_secret = sealed_secret(endpoint, secret)
    return headers(endpoint, event_id=event_id, body=body, now=datetime.now(UTC))


def test_it_takes_what_is_genuine_and_each_once() -> None:
    shown: list[dict[str, Any]] = []
    receiver = EventReceiver(free_port(), secret := new_secret(), shown.append)
    receiver.start()
    try:
        tries = [signed(secret), signed(secret), signed(new_secret(), "2"), {}]
        tries.append({**signed(secret, "3"), "webhook-id": "4"})
        tries.append({**signed(secret, "5"), "webhook-signature": "nothing"})
        answers = [requests.post(receiver.url, data=BODY, headers=one, timeout=5) for one in tries]
    finally:
        receiver.stop()
    assert [answer.status_code for answer in answers] == [204, 204, 401, 401, 401, 401]
    assert [event["id"] for event in shown] == ["1"]
    with pytest.raises(requests.ConnectionError):
        requests.post(receiver.url, data=BODY, timeout=5)


def test_it_runs_by_itself() -> None:
    port, secret = free_port(), new_secret()
    command = [sys.executable, "-m", "connections_project.sandbox.receiver", "--port", str(port)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert (refused.returncode, refused.stderr[:29]) == (1, "Receiver: SECRET has no value")
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"SECRET": secret}, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline().startswith("Receiver ready")
            time.sleep(0.1)
            url = f"http://127.0.0.1:{port}/"
            answer = requests.post(url, data=BODY, headers=signed(secret), timeout=5)
            assert answer.status_code == 204
            assert '"connection.deleted"' in running.stdout.readline()
        finally:
            running.terminate()
