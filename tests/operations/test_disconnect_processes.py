"""`manage.py disconnect_provider` as a process: killed, interrupted, beside itself."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.operations.conftest import many_like
from tests.support.process_environment import ROOT, environment_with
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60.0  # seconds; longer than anything here takes
COUNT = 700
WHY = ("--reason", "breach at the platform")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(platforms: object, tmp_path: Path) -> Iterator[Start]:
    """Start the command, and end whatever is left of it."""
    environment = environment_with("bank", catalogue=tmp_path / "catalog.toml")
    started = []

    def start(*arguments: str, **streams: Any) -> "subprocess.Popen[str]":
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "disconnect_provider", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            **{**pipes, **streams},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def many(owner: User, platforms: object) -> None:
    many_like(connection_of(owner), COUNT - 1)


def over() -> int:
    return Connection.objects.filter(status="disconnected").count()


def in_the_middle(process: "subprocess.Popen[str]") -> None:
    """Wait until the command has done a part of its work."""
    deadline = time.monotonic() + PATIENCE
    while not over():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.005)


def assert_nothing_is_half_done() -> None:
    """See that each row is either as it was, or ended with all that belongs to it, once."""
    ended = set(Connection.objects.filter(status="disconnected").values_list("pk", flat=True))
    for action in ("provider_disconnected", "connection_force_disconnected"):
        recorded = Counter(
            AuditEvent.objects.filter(action=action).values_list("subject_id", flat=True)
        )
        assert set(recorded) == ended
        assert set(recorded.values()) <= {1}
    jobs_of_each = Counter(RevocationJob.objects.values_list("connection_id", flat=True))
    assert set(jobs_of_each) == ended
    assert set(jobs_of_each.values()) <= {1}
    held = set(GrantHold.objects.values_list("connection_id", flat=True))
    live = Connection.objects.exclude(status="disconnected")
    assert held == set(live.values_list("pk", flat=True))
    assert not live.filter(auth_state=None).exists()


def finished(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_killed_and_rerun_it_disconnects_each_once(many: None, start: Start) -> None:
    process = start("--all", *WHY, "--yes", "--batch-size", "10")
    in_the_middle(process)
    process.kill()
    process.wait()
    assert 0 < over() < COUNT
    assert_nothing_is_half_done()
    code, _, err = finished(start("--all", *WHY, "--yes"))
    assert (code, over()) == (0, COUNT), err
    assert_nothing_is_half_done()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_between_commits(
    many: None, start: Start, number: signal.Signals
) -> None:
    process = start("--all", *WHY, "--yes", "--batch-size", "10", "--json")
    in_the_middle(process)
    process.send_signal(number)
    code, out, err = finished(process)
    assert code == 130
    assert "Stopped. What is done is done whole; run it again for the rest." in err
    assert "Traceback" not in err
    # It may be stopped just after a commit and before that one is counted.
    assert over() - 10 <= json.loads(out)["disconnected"] <= over() < COUNT
    assert_nothing_is_half_done()


def test_two_at_once_share_the_work(many: None, start: Start) -> None:
    both = [start("--all", *WHY, "--yes", "--json", "--batch-size", "50") for _ in range(2)]
    results = [finished(process) for process in both]
    assert [code for code, _, _ in results] == [0, 0], results
    recorded = [json.loads(out) for _, out, _ in results]
    assert sum(one["disconnected"] for one in recorded) == COUNT
    assert all(one["disconnected"] + one["passed_over"] == one["selected"] for one in recorded)
    assert_nothing_is_half_done()


def test_the_end_of_standard_input_means_no(owner: User, platforms: object, start: Start) -> None:
    row = connection_of(owner)
    code, out, err = finished(start(str(row.pk), *WHY))
    assert (code, over()) == (2, 0)
    assert "Disconnect 1 connection? [y/N]" in out
    assert "Nothing was done." in err


def test_the_answer_is_read_from_a_pipe(owner: User, platforms: object, start: Start) -> None:
    connection_of(owner)
    process = start("--all", *WHY, stdin=subprocess.PIPE)
    out, err = process.communicate("yes\n", timeout=PATIENCE)
    assert (process.returncode, over()) == (0, 1), err
    # In a pipe there is no bar, and nowhere a secret.
    assert "Disconnecting" not in err
    assert "refresh-0" not in out + err


@pytest.mark.parametrize("arguments", [WHY, ("--all",)])
def test_wrong_use_is_exit_code_two(db: None, start: Start, arguments: tuple[str, ...]) -> None:
    assert finished(start(*arguments))[0] == 2


def test_on_a_terminal_it_draws_a_bar(owner: User, platforms: object, start: Start) -> None:
    connection_of(owner)
    ours, theirs = pty.openpty()
    # Without a width nothing can be drawn.
    termios.tcsetwinsize(ours, (24, 80))
    process = start("--all", *WHY, "--yes", stderr=theirs)
    drawn = ""
    while "Disconnecting:" not in drawn and process.poll() is None:
        drawn += os.read(ours, 65536).decode()
    process.communicate(timeout=PATIENCE)
    os.close(theirs)
    os.close(ours)
    assert "Disconnecting:" in drawn
