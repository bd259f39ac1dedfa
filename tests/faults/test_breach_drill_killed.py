"""A breach drill over many connections, killed on the way, ends whole and once.

Of 500, so that it takes seconds; `BREACH_CONNECTIONS=10000` makes it as large as is meant, and
`BREACH_LATENCY=0.05` has the platform take as long as real ones do.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.breach_reports import verified
from tests.support.deployment import wait_until
from tests.support.platform_server import Answer
from tests.support.process_environment import ROOT
from tests.support.provider_rows import events, many_connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

NUMBER = int(os.environ.get("BREACH_CONNECTIONS", "500"))
LATENCY = float(os.environ.get("BREACH_LATENCY", "0"))


def test_a_drill_is_killed_twice_and_ends(
    owner: User, bank: Bank, deploy: Deploy, tmp_path: Path
) -> None:
    many_connected(owner, NUMBER)
    bank.server.on("POST", "/revoke", Answer(delay=LATENCY))
    environment = deploy(REVOCATION_LEASE_SECONDS="2").environment
    command = [sys.executable, "manage.py", "breach_drill", "bank", "--yes", "--json"]
    command += ["--reason", "drill", "--output", str(tmp_path)]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), text=True, stdout=subprocess.PIPE
        )

    def kill_once(condition: Any) -> None:
        with start() as process:
            wait_until(lambda: condition() or process.poll() is not None)
            process.kill()
        assert process.returncode == -signal.SIGKILL

    began = time.monotonic()
    kill_once(lambda: Suspension.objects.exists())
    kill_once(lambda: len(bank.server.requests) > min(NUMBER // 5, 500))
    # What it did when it was killed the last time is taken over when its leases have ended.
    with start() as last:
        said, _ = last.communicate(timeout=1500)
    seconds = time.monotonic() - began
    assert last.returncode == 0
    report = json.loads(said)
    assert verified(Path(report.pop("folder"))) == report
    assert report["connections"][0] == {"app": "providers", "ended": NUMBER}
    assert (report["revocations"], report["left"]["revocations"]) == ({"revoked": NUMBER}, 0)
    assert Connection.objects.filter(status="disconnected").count() == NUMBER
    assert not RevocationJob.pending().exists()
    assert [len(events(f"breach_drill_{one}")) for one in ("started", "finished")] == [1, 1]
    assert len(events("provider_disconnected")) == NUMBER
    # Each of its calls waits so long, and it is sent so many of them at a time.
    calls = len(bank.server.requests_to("/revoke"))
    least = calls * LATENCY / settings.REVOCATION_PLATFORM_LIMIT
    sys.stderr.write(f"{NUMBER} connections: {seconds:.0f} s; the platform's limit: {least:.0f}\n")
