"""No revocation is given up untried (docs/api.md, "Revocation"), and none lives for ever."""

import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from audit.events import Interface
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.oauth.errors import PlatformError
from connections_project.revocation import give_up as give_ups
from connections_project.revocation import tries
from connections_project.revocation.circuits import allow_probe
from connections_project.revocation.give_up import give_up
from connections_project.revocation.models import Circuit, RevocationJob
from connections_project.revocation.worker import process_revocations, run_worker
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import events
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600
HOUR = 3600


@pytest.fixture(autouse=True)
def platform(bank: Bank, use_catalogue: Callable[..., None]) -> None:
    """A bank that may be asked to end refresh tokens."""
    use_catalogue(bank.catalogue("bank", revocation='tokens = ["refresh_token"]'), "bank")


def job(**columns: object) -> RevocationJob:
    return RevocationJob.objects.get(**columns)


def age(seconds: float, *, due: float | None = None, error: str = "") -> None:
    """Let all jobs be so old, and due for as long."""
    now = timezone.now()
    RevocationJob.objects.update(
        created_at=now - timedelta(seconds=seconds),
        due_at=now - timedelta(seconds=seconds if due is None else due),
        last_error=error,
    )


def leave_alone(minutes: float = 5) -> None:
    until = timezone.now() + timedelta(minutes=minutes)
    Circuit.objects.update_or_create(
        platform="bank", defaults={"faults": 9, "blocked_until": until}
    )


def heeding() -> list[str]:
    return list(run_worker(interface=Interface.WORKER))


@pytest.mark.parametrize("days", [1.1, 2.5, 30])
def test_after_days_without_workers_all_are_tried(bank: Bank, days: float) -> None:
    make_jobs("bank", "one", "two")
    age(days * DAY)
    process_revocations()
    assert set(RevocationJob.objects.values_list("state", flat=True)) == {"revoked"}
    assert len(bank.revoked) == 2


@pytest.mark.parametrize("ahead", [25 * HOUR, 60 * HOUR])
def test_a_worker_whose_clock_is_ahead_gives_up_none_untried(bank: Bank, ahead: float) -> None:
    make_jobs("bank", "one")
    with time_machine.travel(timezone.now() + timedelta(seconds=ahead)):
        assert heeding() == ["revoked"]


def test_the_last_try_that_fails_gives_it_up(bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(503))
    make_jobs("bank", "one")
    age(1.1 * DAY)
    assert heeding() == ["abandoned"]
    assert (job().attempts, job().last_error, job().sealed_tokens) == (1, "unavailable", None)
    assert events("token_revocation_abandoned")[0].details["attempts"] == 1


def test_what_was_not_asked_has_not_been_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_asked(*_: object, **__: object) -> None:
        raise PlatformError("not_asked", platform="bank")

    make_jobs("bank", "one")
    age(1.1 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(tries, "send", not_asked)
        process_revocations()
    assert (job().state, job().attempts) == ("pending", 0)
    assert heeding() == ["revoked"]


@pytest.mark.parametrize("minutes", [1, 9, 11])
def test_none_found_after_its_end_is_given_up_since_its_like_fail_just_then(
    bank: Bank, minutes: float
) -> None:
    bank.server.on("POST", "/revoke", Answer(503))
    make_jobs("bank", *"123456789")
    age(DAY + minutes * 60)
    assert heeding() == ["abandoned"] * FAILURES_TO_OPEN
    assert heeding() == []
    bank.server.on("POST", "/revoke", Answer(200))
    Circuit.objects.update(blocked_until=None)
    assert heeding() == ["revoked"] * 4


@pytest.mark.parametrize("minutes", [1, 9, 11])
@pytest.mark.parametrize(
    ("open_until", "outcomes"),
    [(5, ["given_up"] * 9), (-0.1, ["given_up"] * 9), (-2, ["revoked"] * 9)],
)
def test_one_found_before_its_end_is_given_up_where_its_platform_is_down_then(
    bank: Bank, minutes: float, open_until: float, outcomes: list[str]
) -> None:
    """A moment before the end counts too: then a probe is under way."""
    bank.server.on("POST", "/revoke", Answer(503))
    make_jobs("bank", *"123456789")
    age(DAY - minutes * 60)
    assert heeding() == ["pending"] * FAILURES_TO_OPEN
    bank.server.on("POST", "/revoke", Answer(200))
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        leave_alone(open_until)
        assert heeding() == outcomes


def test_none_is_given_up_that_is_found_days_after_its_platform_was_down(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(4 * DAY)
    leave_alone(4 - 3 * 24 * 60)  # From a minute before the job's end on, for five.
    assert heeding() == ["revoked"]


def test_none_is_given_up_whose_platform_came_to_be_left_alone_after_its_end(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(DAY + 50 * 60)
    leave_alone(0.5)
    assert heeding() == []
    Circuit.objects.update(blocked_until=None)
    assert heeding() == ["revoked"]


def test_an_operators_probe_gives_up_no_other_job(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(DAY - 20)
    leave_alone()
    assert allow_probe("bank")
    with time_machine.travel(timezone.now() + timedelta(seconds=21)):
        assert heeding() == ["revoked"]


def test_one_left_alone_lives_once_more_as_long(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(60 * HOUR)
    leave_alone(minutes=59)
    assert heeding() == []
    Circuit.objects.update(blocked_until=None)
    assert heeding() == ["revoked"]


def test_one_left_alone_does_not_live_for_ever(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(1.1 * DAY)
    leave_alone()
    assert heeding() == []
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        leave_alone()
        assert heeding() == ["given_up"]
    assert (job().state, job().sealed_tokens) == ("abandoned", None)
    assert bank.revoked == []


@pytest.mark.parametrize("error", ["unavailable", ""])
def test_where_the_platform_failed_in_time_and_still_fails_it_is_given_up(
    bank: Bank, error: str
) -> None:
    """Be it by this job or by others, which is why it is left alone."""
    make_jobs("bank", "one")
    age(DAY + 3, error=error)
    leave_alone()
    assert heeding() == ["given_up"]


def test_where_it_failed_before_a_gap_it_is_tried_once_more(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(60 * HOUR, error="unavailable")
    leave_alone()
    assert heeding() == []
    Circuit.objects.update(blocked_until=None)
    assert heeding() == ["revoked"]


def test_one_that_was_put_off_beyond_its_end_is_due_there(bank: Bank) -> None:
    make_jobs("bank", "one")
    age(1.1 * DAY, due=-20 * HOUR)
    assert heeding() == ["revoked"]


def test_one_given_up_untried_is_none_that_was_tried() -> None:
    make_jobs("bank", "one")
    age(DAY + 3, error="unavailable")
    leave_alone()
    out = io.StringIO()
    call_command("run_background", "--json", stdout=out)
    counts = json.loads(out.getvalue())
    assert (counts["tried"], counts["abandoned"]) == (0, 1)


def test_a_short_life_gives_up_none_untried(bank: Bank, settings: LazySettings) -> None:
    """One pass doesn't reach all, and the next one must not take them for tried."""
    settings.REVOCATION_GIVE_UP_SECONDS = 0
    make_jobs("bank", "one")
    for _ in range(2):
        assert give_up(interface=Interface.WORKER) == 0
    assert heeding() == ["revoked"]


def test_many_are_made_due_by_statements_that_pass_over_none(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(give_ups, "BATCH", 2)
    make_jobs("bank", "one", "two", "three", "four", "five")
    age(1.1 * DAY)
    give_up(interface=Interface.WORKER)
    assert not RevocationJob.objects.filter(due_at__lt=timezone.now() - timedelta(hours=1))


def test_the_last_failure_is_audited_too(bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(503))
    make_jobs("bank", "one")
    age(1.1 * DAY)
    heeding()
    (failed,), (abandoned,) = (
        events("token_revocation_failed"),
        events("token_revocation_abandoned"),
    )
    assert failed.id < abandoned.id
    assert failed.details["result"] == "unavailable"
