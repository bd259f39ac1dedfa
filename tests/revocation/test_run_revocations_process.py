"""`manage.py run_revocations` as a process: its signals, its terminal, its exit codes."""

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone

from connections_project.revocation.models import RevocationJob
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.process_environment import ROOT, environment_with

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 15.0  # seconds; longer than anything here takes


@pytest.fixture
def environment(bank: Bank, tmp_path: Path) -> dict[str, str]:
    return environment_with("bank", catalogue=tmp_path / "catalog.toml")


Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def process(environment: dict[str, str]) -> Callable[..., "subprocess.Popen[str]"]:
    def process(*arguments: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        command = [sys.executable, "manage.py", "run_revocations", *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        )

    return process


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


def test_a_piped_pass_shows_no_bar_and_no_secret(pending_job: RevocationJob, process: Run) -> None:
    with ended(process()) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, err
    assert out == "1 tried, 1 revoked, 0 still due, 0 abandoned, 0 shared grant.\n"
    assert "Revoking:" not in err
    assert "refresh-0" not in out + err
    assert "access-0" not in out + err


def test_on_a_terminal_it_draws_one(pending_job: RevocationJob, process: Run) -> None:
    ours, theirs = pty.openpty()
    # Without a width nothing can be drawn.
    termios.tcsetwinsize(ours, (24, 80))
    with ended(process(stderr=theirs)) as running:
        drawn = ""
        while "Revoking:" not in drawn and running.poll() is None:
            drawn += os.read(ours, 65536).decode()
        running.communicate(timeout=PATIENCE)
    os.close(theirs)
    os.close(ours)
    assert "Revoking:" in drawn


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_between_passes(
    pending_job: RevocationJob, process: Run, number: signal.Signals
) -> None:
    with ended(process("--forever", "--interval", "60")) as running:
        wait_until(lambda: RevocationJob.objects.get().state == "revoked")
        # The result is printed after the last job is finished; then the pause begins.
        assert running.stdout is not None
        assert running.stdout.readline().startswith("1 tried, 1 revoked")
        running.send_signal(number)
        _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0
    assert err.endswith("Stopped; what is due stays due.\n")
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_the_job_stays(
    pending_job: RevocationJob, process: Run, bank: Bank, number: signal.Signals
) -> None:
    tried = len(bank.revoked)
    bank.server.on("POST", "/revoke", Answer(delay=9))
    with ended(process("--forever")) as running:
        wait_until(lambda: len(bank.revoked) > tried)
        running.send_signal(number)
        began = time.monotonic()
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, "Traceback" in err) == (0, False)
    assert time.monotonic() - began < 5
    pending_job.refresh_from_db()
    assert (pending_job.state, pending_job.sealed_tokens is None) == ("pending", False)
    # Nobody has it for ever: the lease runs out.
    assert pending_job.leased_until is not None
    assert (pending_job.leased_until - timezone.now()).total_seconds() <= 30
