"""What all processes of a host have counted, whichever of them is asked, and whoever has died."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from connections_project.identity import sessions
from connections_project.identity.models import User
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.child_processes import children
from tests.support.deployment import answers, wait_until
from tests.support.platform_server import free_port
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a token for the metrics"
REQUESTS = "connections_http_request_duration_seconds_count"
CALLS = "connections_outbound_duration_seconds_count"


def scraped(base: str) -> dict[str, float]:
    """Add up by route, and by what calls were for."""
    answer = requests.get(
        f"{base}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
    )
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name in {REQUESTS, CALLS}:
                name = sample.labels.get("route") or sample.labels["kind"]
                found[name] = found.get(name, 0.0) + sample.value
    return found


def json_lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_metrics_sum_all_processes_and_outlive_them(
    owner: User, bank: Bank, deploy: Deploy, tmp_path: Path
) -> None:
    row, port = connection_of(owner), free_port()
    base, bearer = f"http://127.0.0.1:{port}", f"Bearer {sessions.begin(owner).access_token}"
    deployment = deploy(
        METRICS_TOKEN=TOKEN, LOG_FORMAT="json", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics")
    )
    with deployment.workers() as (worker,), deployment.web(port, workers=2) as web:
        wait_until(lambda: len(children(web)) == 2)
        for _ in range(40):
            requests.get(f"{base}/api/v1/platforms", timeout=10)
        answer = requests.delete(
            f"{base}/api/v1/auth/{row.pk}/disconnect", headers={"Authorization": bearer}, timeout=10
        )
        assert answer.status_code == 200
        # The worker revokes; a web process shows that.
        wait_until(lambda: scraped(base).get("revoke", 0) == 2, why=worker.said)
        victims = children(web)
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(children(web) - victims) == 2, why=web.said)
        wait_until(lambda: answers(f"{base}/healthz"))
        after = scraped(base)
    assert after["api/v1/platforms"] == 40
    assert after["api/v1/auth/<str:id>/disconnect"] == 1
    assert after["revoke"] == 2
    said = [line for line in json_lines(web.said()) if line.get("route", "").endswith("disconnect")]
    assert [(line["status"], line["principal_id"], line["trace_id"]) for line in said] == [
        (200, str(owner.pk), answer.headers["X-Trace-Id"])
    ]
