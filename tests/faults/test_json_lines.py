"""With LOG_FORMAT=json each line that a process of production writes is JSON, to the last."""

import json
from pathlib import Path

import pytest
import requests

from tests.faults.conftest import Deploy
from tests.support.deployment import Running
from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
GRANIAN = str(ROOT / "connections_project" / "conf" / "granian_logging.json")


def messages(running: Running) -> list[str]:
    lines = [json.loads(line) for line in running.said().splitlines()]
    assert all(line["level"] and line["time"] for line in lines)
    return [line["message"] for line in lines]


def test_every_line_is_json(deploy: Deploy, tmp_path: Path) -> None:
    deployment, port = deploy(LOG_FORMAT="json", GRANIAN_LOG_CONFIG=GRANIAN), free_port()
    with (
        deployment.workers() as (worker,),
        deployment.beat() as beat,
        deployment.web(port) as web,
    ):
        requests.get(f"http://127.0.0.1:{port}/api/v1/platforms", timeout=10)
        beat.wait_for("Sending due task")
        assert (worker.end(), web.end()) == (0, 0)
        beat.end()
    assert any(message.startswith("Warm shutdown") for message in messages(worker))
    assert any("GET /api/v1/platforms 200" in message for message in messages(web))
    assert any(message.startswith("Starting granian") for message in messages(web))
    assert messages(beat)


def test_so_is_what_stops_a_start(deploy: Deploy) -> None:
    deployment = deploy(LOG_FORMAT="json", ALLOWED_HOSTS="https://", DEBUG="false")
    with deployment.running("worker", "celery", "-A", "connections_project", "beat") as beat:
        beat.process.wait(30)
    (message,) = messages(beat)
    assert message.startswith("Configuration: ALLOWED_HOSTS is wrong")
