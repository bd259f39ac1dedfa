"""When a failed job is tried again, and when it is given up (docs/api.md, "Revocation")."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from connections_project.revocation.models import RevocationJob
from tests.revocation.conftest import processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import events

HOUR = 3600


@pytest.fixture(autouse=True)
def failing(bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(503))


def wait_after(attempts: int, job: RevocationJob) -> float:
    """Return the seconds until the next try, after so many failed ones."""
    now = timezone.now()
    RevocationJob.objects.filter(pk=job.pk).update(attempts=attempts - 1, due_at=now)
    with time_machine.travel(now, tick=False):
        assert processed() == ["pending"]
    job.refresh_from_db()
    return (job.due_at - now).total_seconds()


@pytest.mark.parametrize(
    ("attempts", "least"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (7, 1920), (8, HOUR), (9, HOUR), (5000, HOUR)],
)
def test_the_wait_doubles_up_to_an_hour_and_is_spread(
    job: RevocationJob, attempts: int, least: int
) -> None:
    waits = {wait_after(attempts, job) for _ in range(8)}
    assert all(least <= wait <= least * 1.25 for wait in waits)
    assert len(waits) > 1, "Without jitter, all that failed at once would come back at once."


def test_the_first_wait_is_a_setting(job: RevocationJob, settings: LazySettings) -> None:
    settings.REVOCATION_FIRST_RETRY_SECONDS = 2
    assert 2 <= wait_after(1, job) <= 2.5
    assert 4 <= wait_after(2, job) <= 5


@pytest.mark.parametrize(("asked", "least"), [("900", 900), ("1", 30), ("nonsense", 30)])
def test_retry_after_is_honoured(job: RevocationJob, bank: Bank, asked: str, least: int) -> None:
    bank.server.on("POST", "/revoke", Answer(429, headers={"Retry-After": asked}))
    assert least <= wait_after(1, job) <= least * 1.25


def test_no_retry_after_exceeds_the_jobs_end(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(503, headers={"Retry-After": "999999999"}))
    wait_after(1, job)
    assert job.due_at == job.created_at + timedelta(hours=24)


def test_after_a_day_it_is_given_up_and_erased(
    job: RevocationJob, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    wait_after(1, job)
    asked = len(bank.revoked)
    with time_machine.travel(job.created_at + timedelta(hours=24, seconds=1), tick=False):
        assert processed() == ["abandoned"]
        assert processed() == []
    job.refresh_from_db()
    assert (job.state, job.sealed_tokens, job.lease) == ("abandoned", None, None)
    assert len(bank.revoked) == asked + 1, "The last try was made when its time was over."
    (event,) = events("token_revocation_abandoned")
    assert (event.outcome, event.subject_id) == ("failure", job.connection_id)
    assert [one.levelno for one in caplog.records if "Gave up" in one.message] == [logging.ERROR]


def test_shortly_before_it_is_still_tried(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(200))
    with time_machine.travel(job.created_at + timedelta(hours=23, minutes=59), tick=False):
        assert processed() == ["revoked"]


def test_when_it_is_given_up_is_a_setting(job: RevocationJob, settings: LazySettings) -> None:
    settings.REVOCATION_GIVE_UP_SECONDS = 60
    assert wait_after(3, job) <= 60
    with time_machine.travel(job.created_at + timedelta(seconds=61), tick=False):
        assert processed() == ["abandoned"]


def test_each_failed_try_is_audited_with_its_number(job: RevocationJob) -> None:
    for attempt in (1, 2, 3):
        wait_after(attempt, job)
    assert [one.details["attempts"] for one in events("token_revocation_failed")] == [1, 2, 3]
