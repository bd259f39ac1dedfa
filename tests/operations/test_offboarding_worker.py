"""Offboarding in the background: access ends at once, workers end the connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import Origin
from connections_project.core.ids import uuid7
from connections_project.identity.models import ForgottenSubject, SessionFamily, User
from connections_project.operations import offboarding, offboarding_worker
from connections_project.operations.models import OffboardingJob
from connections_project.operations.offboarding_worker import (
    begin_offboarding,
    process_offboardings,
)
from connections_project.operations.options import Failure, InvalidReasonError, Result
from providers.models import Connection
from tests.conftest import SignIn
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

# The job is worked on by threads, on connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)

WHY = "left the company"


@pytest.fixture
def leaver(owner: User, platforms: Bank) -> User:
    for number in range(3):
        connection_of(owner, account_id=f"p{number}")
    return owner


def active() -> int:
    return Connection.objects.filter(disconnected_at=None).count()


def test_access_ends_at_once(leaver: User, origin: Origin, sign_in: SignIn) -> None:
    api = sign_in(leaver)
    begin_offboarding(leaver, reason=WHY, origin=origin)
    assert api.get("/api/v1/me").status_code == 401
    assert not SessionFamily.objects.filter(revoked_at=None).exists()
    assert active() == 3


def test_a_worker_ends_the_connections(leaver: User, origin: Origin) -> None:
    job = begin_offboarding(leaver, reason=WHY, origin=origin)
    process_offboardings()
    assert active() == 0
    assert not OffboardingJob.objects.exists()
    ended = AuditEvent.objects.filter(action="connection_force_disconnected")
    assert ended.count() == 3
    job_ids = {(event.reason, event.details["offboarding_job"]) for event in ended}
    assert job_ids == {(WHY, str(job.pk))}


def test_who_comes_back_keeps_what_is_new(leaver: User, origin: Origin) -> None:
    """New is also what was connected again on a row of before."""
    job = begin_offboarding(leaver, reason=WHY, origin=origin)
    offboarding.reactivate(leaver, reason="back again", origin=origin)
    again = Connection.objects.order_by("pk").first()
    later = [again, connection_of(leaver, account_id="later")]
    connected_since(job, *(one.pk for one in later if one))
    process_offboardings()
    assert list(Connection.objects.filter(disconnected_at=None).order_by("pk")) == later
    assert User.objects.get(pk=leaver.pk).is_active


def test_who_comes_back_during_the_job_keeps_it_too(leaver: User, origin: Origin) -> None:
    job = begin_offboarding(leaver, reason=WHY, origin=origin)
    kept = Connection.objects.order_by("pk").last()
    assert kept

    def connect_again(_: Result) -> None:
        offboarding.reactivate(leaver, reason="back again", origin=origin)
        connected_since(job, kept.pk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offboarding, "BATCH", 1)
        # Else the last batch may be under way already.
        patch.setattr("connections_project.operations.pipeline._must_wait", lambda: True)
        patch.setattr(offboarding_worker, "_extend_lease", lambda _, done: connect_again(done))
        process_offboardings()
    assert list(Connection.objects.filter(disconnected_at=None)) == [kept]


def test_of_who_stays_away_nothing_is_kept(leaver: User, origin: Origin) -> None:
    """The clocks of hosts differ: a connection may seem to be newer than the end of access."""
    job = begin_offboarding(leaver, reason=WHY, origin=origin)
    connected_since(job, *Connection.objects.values_list("pk", flat=True))
    process_offboardings()
    assert active() == 0


def connected_since(job: OffboardingJob, *ids: UUID) -> None:
    since = job.created_at + timedelta(seconds=1)
    Connection.objects.filter(pk__in=ids).update(connected_at=since)


def test_to_forget_leaves_a_digest(leaver: User, origin: Origin) -> None:
    User.objects.filter(pk=leaver.pk).update(
        email=None, issuer="https://id.example.com", subject="kim", issuer_email="kim@example.com"
    )
    begin_offboarding(leaver, reason=WHY, origin=origin, forget=True)
    process_offboardings()
    user = User.objects.get(pk=leaver.pk)
    assert (user.issuer, user.subject, user.issuer_email) == (None, None, None)
    assert user.is_forgotten
    assert not user.is_active
    assert "kim" not in ForgottenSubject.objects.get().digest


def test_who_is_forgotten_does_not_come_back(leaver: User, origin: Origin) -> None:
    begin_offboarding(leaver, reason=WHY, origin=origin, forget=True)
    with pytest.raises(offboarding.ForgottenError):
        offboarding.reactivate(leaver, reason="a mistake", origin=origin)
    process_offboardings()
    assert active() == 0


def test_who_is_let_in_meanwhile_is_not_forgotten(leaver: User, origin: Origin) -> None:
    def let_in(_: Result) -> None:
        offboarding.reactivate(leaver, reason="a mistake", origin=origin)

    offboarding.forget(leaver, reason=WHY, origin=origin, on_batch=let_in)
    assert User.objects.get(pk=leaver.pk, is_active=True).email == "owner@example.com"
    assert not AuditEvent.objects.filter(action="user_forgotten").exists()


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have somebody else hold the connections."""
    failed = Result(failures=(Failure(uuid7(), "locked", "somebody else holds it"),))
    with monkeypatch.context() as patch:
        patch.setattr(offboarding, "force_disconnect", lambda *_, **__: failed)
        yield


def test_a_failure_is_tried_again(
    leaver: User, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_offboarding(leaver, reason=WHY, origin=origin)
    with failing(monkeypatch):
        process_offboardings()
    assert OffboardingJob.objects.get().due_at > timezone.now()
    OffboardingJob.objects.update(due_at=timezone.now())
    process_offboardings()
    assert active() == 0


def test_what_has_failed_often_is_tried_again_too(
    leaver: User, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_offboarding(leaver, reason=WHY, origin=origin)
    with failing(monkeypatch):
        for _ in range(OffboardingJob.MAX_ATTEMPTS + 2):
            process_offboardings()
            OffboardingJob.objects.update(due_at=timezone.now())
    process_offboardings()
    assert active() == 0
    assert not OffboardingJob.objects.exists()


def test_also_where_its_workers_have_died(leaver: User, origin: Origin) -> None:
    begin_offboarding(leaver, reason=WHY, origin=origin)
    OffboardingJob.objects.update(attempts=OffboardingJob.MAX_ATTEMPTS)
    process_offboardings()
    assert active() == 3
    OffboardingJob.objects.update(due_at=timezone.now())
    process_offboardings()
    assert active() == 0


def test_a_worker_that_lost_its_lease_stops(leaver: User, origin: Origin) -> None:
    begin_offboarding(leaver, reason=WHY, origin=origin)
    job = OffboardingJob.claim(1, due_by=timezone.now())[0]
    OffboardingJob.objects.update(lease=uuid7())
    with pytest.raises(offboarding_worker.LostLeaseError):
        offboarding_worker._extend_lease(job, Result())


def test_without_a_reason_nothing_is_done(leaver: User, origin: Origin) -> None:
    with pytest.raises(InvalidReasonError):
        begin_offboarding(leaver, reason="", origin=origin)
    assert User.objects.get(pk=leaver.pk).is_active
    assert not OffboardingJob.objects.exists()
