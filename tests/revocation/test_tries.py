"""A try at the platform: what is sent, how long it may take, what is left afterwards."""

import logging
import time
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.middleware.tracing import TraceIdFilter
from connections_project.oauth.client import TokenSet
from connections_project.platforms.models import Suspension
from connections_project.revocation import tries
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.revocation.conftest import EndOf, make_due, processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of, events


def test_the_refresh_token_goes_first(job: RevocationJob, bank: Bank) -> None:
    assert processed() == ["revoked"]
    first, second = bank.server.requests_to("/revoke")
    assert first.form == {"token": "refresh-0", "token_type_hint": "refresh_token"}
    assert second.form == {"token": "access-0", "token_type_hint": "access_token"}
    assert first.headers["Authorization"].startswith("Basic ")


def test_an_access_token_alone_is_sent(owner: User, bank: Bank, end: EndOf) -> None:
    end(connection_of(owner, tokens=TokenSet("access-0")))
    assert processed() == ["revoked"]
    assert bank.revoked == ["access-0"]


def test_when_it_is_done_nothing_of_the_token_remains(job: RevocationJob, row: Connection) -> None:
    processed()
    job.refresh_from_db()
    assert (job.state, job.sealed_tokens, job.attempts) == ("revoked", None, 1)
    assert (job.lease, job.leased_until) == (None, None)
    assert job.finished_at is not None
    row.refresh_from_db()
    assert row.auth_state is None


def test_it_is_audited_with_the_disconnects_trace(job: RevocationJob, row: Connection) -> None:
    processed()
    (event,) = events("token_revoked")
    assert (event.subject_type, event.subject_id) == ("providers.connection", row.pk)
    assert (event.subject_owner_id, event.trace_id) == (row.user_id, job.trace_id)
    assert (event.actor_type, event.interface) == ("system", "command")
    assert event.details == {
        "platform": "bank",
        "attempts": 1,
        "requested_at": job.created_at.isoformat(),
        "result": "revoked",
        "verification": "unverifiable",
    }


def test_a_dead_token_counts_as_revoked(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(400, json={"error": "invalid_token"}))
    assert processed() == ["revoked"]


def test_a_finished_job_is_not_tried_again(job: RevocationJob, bank: Bank) -> None:
    processed()
    make_due(job)
    assert processed() == []
    assert len(bank.revoked) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(500), "server_error"),
        (Answer(503), "unavailable"),
        (Answer(429), "rate_limited"),
        (Answer(400, json={"error": "invalid_request"}), "refused"),
        (Answer(403, json={}), "refused"),
        (Answer(204), "malformed"),
        (Answer(302, headers={"Location": "/"}), "redirected"),
        (Answer(reset=True), "reset"),
    ],
)
def test_a_failed_try_is_never_taken_for_a_success(
    job: RevocationJob,
    bank: Bank,
    answer: Answer,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bank.server.on("POST", "/revoke", answer)
    assert processed() == ["pending"]
    sealed = job.sealed_tokens
    job.refresh_from_db()
    assert (job.state, job.sealed_tokens, job.last_error) == ("pending", sealed, error)
    assert job.due_at > timezone.now()
    assert (job.lease, job.leased_until) == (None, None)
    (event,) = events("token_revocation_failed")
    assert (event.outcome, event.details["result"]) == ("failure", error)
    assert event.trace_id == job.trace_id
    (line,) = [one for one in caplog.records if "Revoking" in one.message]
    assert line.levelno == logging.WARNING


def test_the_log_has_the_trace_and_no_token(
    job: RevocationJob, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(TraceIdFilter())
    bank.server.on("POST", "/revoke", Answer(500, body=b"bad token refresh-0"))
    processed()
    (line,) = [one for one in caplog.records if "Revoking" in one.message]
    assert getattr(line, "trace_id", "") == job.trace_id
    assert "refresh-0" not in caplog.text
    assert "access-0" not in caplog.text


def test_a_dripping_platform_is_left_at_the_deadline(
    job: RevocationJob, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "ATTEMPT_SECONDS", 0.6)
    # The first call takes some of the time, so that the second must not have all of it.
    bank.server.on("POST", "/revoke", Answer(delay=0.2), Answer(drip_headers=0.1))
    began = time.monotonic()
    assert processed() == ["pending"]
    assert time.monotonic() - began < 5
    job.refresh_from_db()
    assert job.last_error == "timeout"


@pytest.mark.django_db(transaction=True)
def test_a_disconnect_takes_five_seconds_at_most(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/revoke", Answer(delay=2.5), Answer(drip_headers=0.3))
    began = time.monotonic()
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    assert 4.5 < time.monotonic() - began < 10
    assert RevocationJob.objects.get().state == "pending"


def test_a_suspended_platform_is_called_anyway(job: RevocationJob, bank: Bank) -> None:
    Suspension.objects.create(slug="bank", reason="broken", suspended_at=timezone.now())
    assert processed() == ["revoked"]


def test_a_job_that_is_not_due_is_left_alone(job: RevocationJob, bank: Bank) -> None:
    RevocationJob.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    assert processed() == []
    assert bank.revoked == []


def test_every_due_job_is_tried_once_oldest_first(
    owner: User, bank: Bank, end: EndOf, settings: LazySettings
) -> None:
    settings.REVOCATION_FIRST_RETRY_SECONDS = 0
    now = timezone.now()
    for number in range(5):
        tokens = TokenSet(f"access-{number}")
        job = end(connection_of(owner, tokens=tokens, account_id=str(number)))
        RevocationJob.objects.filter(pk=job.pk).update(due_at=now - timedelta(minutes=number))
    bank.server.on("POST", "/revoke", Answer(503))
    # Due again at once, and yet a pass comes to its end.
    assert processed() == ["pending"] * 5
    assert bank.revoked == ["access-4", "access-3", "access-2", "access-1", "access-0"]


def test_what_was_accepted_is_not_sent_again(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(200), Answer(503), Answer(200))
    assert processed() == ["pending"]
    make_due(job)
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-0", "access-0", "access-0"]


def test_a_token_that_hangs_leaves_time_for_the_next(
    job: RevocationJob, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "ATTEMPT_SECONDS", 1.0)
    bank.server.on("POST", "/revoke", Answer(delay=5), Answer(200))
    assert processed() == ["pending"]
    job.refresh_from_db()
    assert (job.accepted_tokens, job.last_error) == ("access_token", "timeout")
