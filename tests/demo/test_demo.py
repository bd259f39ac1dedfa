"""The demo, as `make demo` runs it, on ports that are free."""

import os
import re
import subprocess
import sys

import pytest

from connections_project.sandbox.local.processes import ROOT
from tests.support.platform_server import free_port


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run it where a developer's settings would lead it astray if it heeded them."""
    port, sandbox_port = free_port(), free_port()
    astray = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "SECRET_KEY": "short"}
    command = [sys.executable, "-m", "connections_project.sandbox.local.demo"]
    folder = tmp_path_factory.mktemp("demo")
    result = subprocess.run(
        [*command, "--port", str(port), "--sandbox-port", str(sandbox_port)],
        cwd=ROOT,
        env=os.environ | astray | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not list(folder.iterdir()), "the demo left something behind"
    return result


def test_it_shows_the_whole_history(demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stderr == ""
    steps = re.findall(r"^\d+\. (.*)$", demo.stdout, flags=re.MULTILINE)
    assert len(steps) == 62
    for call in (
        "POST /api/v1/auth/login",
        "POST /api/v1/providers ",
        "POST /api/v1/providers/callback?code=***&state=***",
        "POST /api/v1/accounts/syncs",
        "DELETE /api/v1/auth/",
        "GET /api/v1/receipts/",
        "manage.py verify_audit_log",
        "GET /api/v1/me",
        "POST /api/v1/channels/connect ",
        "POST /api/v1/schedules/bulk-cancel ",
        "manage.py publish_due_schedules",
        "POST /api/v1/plugin/social-media-publisher/social/connect ",
        "POST /api/v1/plugin/social-media-publisher/social/disconnect ",
    ):
        assert f"-> {call}" in demo.stdout


def test_tokens_live_before_and_die_with_disconnect(
    demo: subprocess.CompletedProcess[str],
) -> None:
    bank, _ = demo.stdout.split("Sign in as somebody who publishes")
    before, after = bank.split("Disconnect\n")
    assert before.count(": alive\n") == 2
    assert after.count(": dead\n") == 4
    assert ": alive\n" not in after


def test_a_channel_is_protected_and_keeps_its_past(
    demo: subprocess.CompletedProcess[str],
) -> None:
    assert "Please cancel or complete 4 pending schedules first." in demo.stdout
    assert "<- 1 tried, 1 published, 0 still due, 0 failed." in demo.stdout
    assert "CHANNEL_DISCONNECTED" in demo.stdout


def test_a_receiver_that_was_down_gets_it_all(
    demo: subprocess.CompletedProcess[str],
) -> None:
    _, after_stop = demo.stdout.split("Disconnect a page: the host application is told")
    before, after = after_stop.split("Start it again: what it missed comes, in order")
    assert re.findall(r"=> (.*)", before) == [
        "connection.disconnected sandbox_pages disconnected",
        "connection.connected sandbox active",
    ]
    assert re.findall(r"=> (.*)", after) == [
        "connection.disconnected sandbox disconnected",
        "revocation.succeeded sandbox disconnected",
        "connection.deleted sandbox disconnected",
    ]
    assert "-> GET /api/v1/events?limit=100\n   <- 200 " in after


def test_it_shows_no_secret(demo: subprocess.CompletedProcess[str]) -> None:
    from connections_project.sandbox.local.people import PUBLISHER, USER

    assert USER.password not in demo.stdout
    assert PUBLISHER.password not in demo.stdout
    # A receipt and the published keys are for everybody to read; so is the digest of a seal.
    text = re.sub(r'"(receipt|x|kid)": "[^"]+"|\b[0-9a-f]{64}\b', "", demo.stdout)
    # A JSON Web Token, and anything else as long and as random.
    assert "eyJ" not in text
    public = re.compile(r"[0-9a-f-]{32,36}|CONNECTION_HAS_ACTIVE_SCHEDULES")
    assert not re.search(r"[A-Za-z0-9_-]{28,}", public.sub("", text))
