"""`manage.py run_revocations` (docs/operating.md)."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from connections_project.core import periodic
from connections_project.core.periodic import PeriodicTask, stopping
from connections_project.identity.models import User
from connections_project.revocation.management.commands import run_background
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.worker import run_worker
from tests.revocation.conftest import EndOf, make_due
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of

# Some periodic tasks run in threads of their own, and passes close connections between them.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def goes_on() -> Iterator[None]:
    """Whoever interrupts the command has this whole process take nothing more."""
    yield
    stopping.clear()


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("run_revocations", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_one_pass_reports_what_became_of_the_due(
    owner: User, bank: Bank, end: EndOf, capsys: pytest.CaptureFixture[str]
) -> None:
    bank.server.on("POST", "/revoke", Answer(503))
    for number in range(4):
        make_due(end(connection_of(owner, account_id=str(number))))
    old, later = RevocationJob.objects.order_by("id")[:2]
    RevocationJob.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    RevocationJob.objects.filter(pk=later.pk).update(due_at=timezone.now() + timedelta(days=1))
    bank.server.on("POST", "/revoke", Answer(503), Answer(503), Answer(200))
    out, err = run()
    assert out == "3 tried, 1 revoked, 1 still due, 1 abandoned, 0 shared grant.\n"
    # No progress bar where nobody watches.
    assert err == capsys.readouterr().err == ""


def test_with_nothing_to_do_it_says_so(db: None) -> None:
    assert run()[0] == "0 tried, 0 revoked, 0 still due, 0 abandoned, 0 shared grant.\n"


def test_the_result_as_json(pending_job: RevocationJob) -> None:
    out, _ = run("--once", "--json")
    assert json.loads(out) == {
        "tried": 1, "revoked": 1, "still_due": 0, "abandoned": 0, "shared_grant": 0,
    }  # fmt: skip


def forever(monkeypatch: pytest.MonkeyPatch, *arguments: str, pauses: int = 3) -> tuple[str, str]:
    left = iter(range(pauses))

    def sleep(_: float) -> None:
        if next(left) == pauses - 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    return run("--forever", *arguments)


def test_forever_runs_until_interrupted(
    pending_job: RevocationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = forever(monkeypatch, "--json")
    # Only a pass that did something is reported.
    assert [json.loads(line)["revoked"] for line in out.splitlines()] == [1]
    assert err == "Stopped; what is due stays due.\n"


def test_a_passing_database_outage_does_not_end_it(
    pending_job: RevocationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def failing_first(**options: Any) -> Iterator[str]:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("password=hunter2")
        yield from run_worker(**options)

    monkeypatch.setattr(run_background, "run_worker", failing_first)
    out, err = forever(monkeypatch)
    assert out.startswith("1 tried, 1 revoked")
    assert "OperationalError" in err
    assert "hunter2" not in err


def test_a_pass_of_many_has_an_end(
    pending_job: RevocationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tasks wait for it; who asks for one pass wants all that is due."""
    monkeypatch.setattr(run_background, "PASS_SECONDS", 0)
    assert forever(monkeypatch, "--json")[0] == ""
    assert json.loads(run("--json")[0])["revoked"] == 1


def test_what_has_a_thread_of_its_own_does_not_wait_for_a_pass(
    pending_job: RevocationJob, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    own = PeriodicTask(begun.set, every=0, own_thread=True)
    monkeypatch.setitem(periodic._periodic_tasks, "own", own)

    def when_begun(_: Request) -> Answer:
        begun.clear()
        return Answer(200 if begun.wait(5) else 503)

    bank.server.on("POST", "/revoke", when_begun)
    (line,) = forever(monkeypatch, "--json")[0].splitlines()
    assert json.loads(line)["revoked"] == 1


def test_one_pass_that_is_interrupted_is_no_success(
    job: RevocationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: Any) -> Iterator[str]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(run_background, "run_worker", interrupted)
    with pytest.raises(CommandError, match="Stopped") as caught:
        run()
    assert caught.value.returncode == 130


@pytest.mark.parametrize(
    "wrong",
    [["--interval", "0"], ["--interval", "soon"], ["--interval=-1"], ["--once", "--forever"]],
)
def test_wrong_use_is_refused(db: None, wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*wrong)


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("run_revocations", "--help")
    assert "  manage.py run_background --once --json" in capsys.readouterr().out
