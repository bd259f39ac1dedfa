"""Forced disconnects in the background: a snapshot of ids, a permission checked again."""

from datetime import timedelta
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import Origin
from connections_project.connections.disconnect import DisconnectResult
from connections_project.core.ids import uuid7
from connections_project.core.periodic import periodic_task_of
from connections_project.identity.models import User
from connections_project.operations import bulk_worker
from connections_project.operations.bulk_jobs import (
    AlreadyStartedError,
    start,
    store_selection,
    sweep_bulk_jobs,
)
from connections_project.operations.bulk_worker import LostLeaseError, process_bulk_jobs
from connections_project.operations.engine import Engine
from connections_project.operations.models import BulkItem, BulkJob
from connections_project.operations.options import DisconnectOptions
from providers.models import Connection
from social.models import SocialAccount
from tests.operations.conftest import WHY, account_of_user
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(owner: User, platforms: object) -> list[Connection]:
    return [connection_of(owner, account_id=str(number)) for number in range(5)]


@pytest.fixture
def job(rows: list[Connection], permitted: User, origin: Origin) -> BulkJob:
    return store_selection("providers", Connection.objects.all(), origin=origin)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_worker, "BATCH", 2)


def items(job: BulkJob) -> dict[UUID, str]:
    return dict(job.items.values_list("connection_id", "state"))


def live() -> int:
    return Connection.objects.exclude(status="disconnected").count()


def test_the_snapshot_is_what_was_shown(job: BulkJob, rows: list[Connection], owner: User) -> None:
    connection_of(owner, account_id="came later")
    process_bulk_jobs()
    assert (job.state, job.total, job.processed) == ("frozen", 5, 0)
    assert items(job) == {row.pk: "pending" for row in rows}
    assert live() == 6


def test_a_started_one_ends_exactly_its_snapshot(
    job: BulkJob, owner: User, permitted: User, small_batches: None
) -> None:
    late = connection_of(owner, account_id="came later")
    start(job, WHY)
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.processed, job.failed, job.passed_over) == ("finished", 5, 0, 0)
    assert (job.disconnected, job.revocations, job.is_over) == (5, 5, True)
    assert job.finished_at is not None
    assert set(items(job).values()) == {"done"}
    late.refresh_from_db()
    assert late.status == "active"
    recorded = events("connection_force_disconnected")
    assert {(one.actor_type, one.actor_id, one.reason) for one in recorded} == {
        ("operator", permitted.pk, WHY.reason)
    }
    assert {one.details["bulk_job"] for one in recorded} == {str(job.pk)}
    assert {one.trace_id for one in recorded} == {job.trace_id}
    assert len(recorded) == len(events("provider_disconnected")) == 5


def test_it_is_confirmed_once(job: BulkJob) -> None:
    start(job, WHY)
    with pytest.raises(AlreadyStartedError):
        start(job, WHY)


def test_ids_are_stored_as_they_are_and_once(
    rows: list[Connection], permitted: User, origin: Origin
) -> None:
    gone = uuid7()
    job = start(store_selection("providers", [rows[0].pk, rows[0].pk, gone], origin=origin), WHY)
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.total, job.processed, job.passed_over) == (2, 2, 1)
    assert items(job) == {rows[0].pk: "done", gone: "passed_over"}


def test_a_selection_through_joins_has_no_duplicates(
    rows: list[Connection], teammate: User, origin: Origin
) -> None:
    # The owner's team has two members, so that each row comes twice.
    joined = Connection.objects.filter(user__teams__members__in=User.objects.all())
    assert joined.count() > 5
    assert store_selection("providers", joined, origin=origin).total == 5


def test_an_empty_selection_is_an_empty_job(permitted: User, origin: Origin) -> None:
    job = start(store_selection("providers", Connection.objects.none(), origin=origin), WHY)
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.total) == ("finished", 0)


def test_failures_are_listed_with_their_causes(
    owner: User, platforms: object, permitted: User, origin: Origin
) -> None:
    busy, free = channel_of(owner, account_id="busy"), channel_of(owner, account_id="free")
    for _ in range(3):
        schedule_of(busy)
    job = start(store_selection("channels", [busy.pk, free.pk], origin=origin), WHY)
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.processed, job.failed) == ("finished", 2, 1)
    item = job.items.get(state="failed")
    assert (item.connection_id, item.cause) == (busy.pk, "active_schedules")
    assert item.detail == "3 schedules are pending or queued."


def test_the_options_that_were_confirmed_count(
    owner: User, platforms: object, permitted: User, origin: Origin
) -> None:
    kept = account_of_user(owner, account_id="kept", status="disconnected")
    live = account_of_user(owner, account_id="live")
    everything = store_selection("social", SocialAccount.objects.all(), origin=origin)
    assert everything.total == 2
    job = start(everything, DisconnectOptions("x", revoke=False, erase_tokens=True))
    process_bulk_jobs()
    for row in (kept, live):
        row.refresh_from_db()
        assert (row.is_active, row.auth_state) == (False, None)
    job.refresh_from_db()
    assert (job.disconnected, job.revocations) == (2, 0)


def test_the_permission_is_checked_before_each_batch(
    job: BulkJob, permitted: User, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Engine.end

    def end_and_lose_the_permission(self: Engine, ids: Any) -> DisconnectResult:
        done = end(self, ids)
        permitted.user_permissions.clear()
        return done

    monkeypatch.setattr(Engine, "end", end_and_lose_the_permission)
    start(job, WHY)
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.processed) == ("refused", 2)
    assert live() == 3
    process_bulk_jobs()
    assert live() == 3


def test_it_is_checked_once_more_when_the_locks_are_there(
    job: BulkJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = chain([True], repeat(False))
    monkeypatch.setattr(bulk_worker._Run, "_is_permitted", lambda _: next(answers))
    start(job, WHY)
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.processed, live()) == ("refused", 0, 5)
    assert set(items(job).values()) == {"pending"}


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_so_is_whether_the_operator_still_is_one(job: BulkJob, permitted: User, lost: str) -> None:
    start(job, WHY)
    setattr(permitted, lost, False)
    permitted.save()
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, live()) == ("refused", 5)


class Killed(BaseException):
    """What ends a process in the middle leaves no time to clean up."""


def test_a_killed_job_is_resumed(
    job: BulkJob, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(job, WHY)
    with monkeypatch.context() as patch:
        note_rest = bulk_worker._Run._note_rest
        calls = []

        def note_or_die(self: Any, *args: Any) -> None:
            calls.append(args)
            if len(calls) == 2:
                raise Killed
            note_rest(self, *args)

        patch.setattr(bulk_worker._Run, "_note_rest", note_or_die)
        with pytest.raises(Killed):
            process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.processed) == ("running", 4)
    process_bulk_jobs()
    assert live() == 1, "somebody else still has it"
    BulkJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    process_bulk_jobs()
    job.refresh_from_db()
    assert (job.state, job.processed, job.disconnected) == ("finished", 5, 5)
    assert len(events("connection_force_disconnected")) == 5


def test_one_that_was_taken_over_does_nothing_more(
    job: BulkJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(job, WHY)
    note = bulk_worker._Run._note

    def note_too_late(self: Any, batch: DisconnectResult) -> None:
        BulkJob.objects.update(lease=uuid7())
        note(self, batch)

    monkeypatch.setattr(bulk_worker._Run, "_note", note_too_late)
    run = bulk_worker._Run(bulk_worker._claim() or job)
    with pytest.raises(LostLeaseError):
        run.run(until=None)
    # What it had just ended is undone with the commit that could not be.
    assert (live(), AuditEvent.objects.count()) == (5, 0)
    assert set(items(job).values()) == {"pending"}


def test_one_that_fails_holds_up_no_other(
    job: BulkJob, rows: list[Connection], origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_one = start(store_selection("providers", [rows[0].pk], origin=origin), WHY)
    next_one.due_at += timedelta(seconds=1)
    next_one.save()
    start(job, WHY)
    end = Engine.end

    def fail_at_five(self: Engine, ids: list[UUID]) -> DisconnectResult:
        if len(ids) == 5:
            # As where somebody holds a row for longer than a statement may wait.
            raise OperationalError
        return end(self, ids)

    monkeypatch.setattr(Engine, "end", fail_at_five)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        process_bulk_jobs()
    job.refresh_from_db()
    next_one.refresh_from_db()
    assert (next_one.state, next_one.disconnected) == ("finished", 1)
    assert (job.state, job.lease, job.processed) == ("running", None, 0)
    assert timedelta(seconds=60) < job.due_at - timezone.now() < timedelta(minutes=2)


def test_it_stops_in_time_and_gives_the_job_back(job: BulkJob) -> None:
    start(job, WHY)
    process_bulk_jobs(within=0)
    job.refresh_from_db()
    assert (job.state, job.lease, live()) == ("running", None, 5)
    process_bulk_jobs()
    assert live() == 0


def test_unconfirmed_jobs_are_swept_done_keep_counts(
    job: BulkJob, rows: list[Connection], permitted: User, origin: Origin
) -> None:
    done = start(store_selection("providers", [row.pk for row in rows], origin=origin), WHY)
    process_bulk_jobs()
    sweep_bulk_jobs()
    assert (BulkJob.objects.count(), BulkItem.objects.count()) == (2, 10)
    BulkJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(days=2))
    BulkJob.objects.filter(pk=done.pk).update(finished_at=timezone.now() - timedelta(days=31))
    sweep_bulk_jobs()
    assert (BulkJob.objects.get().processed, BulkItem.objects.count()) == (5, 0)
    BulkJob.objects.filter(pk=done.pk).update(finished_at=timezone.now() - timedelta(days=401))
    sweep_bulk_jobs()
    assert not BulkJob.objects.exists()


def test_nobody_in_particular_can_not_ask_for_one(origin: Origin) -> None:
    nobody = Origin(origin.actor_type, None, origin.interface)
    with pytest.raises(ValueError):
        store_selection("providers", [], origin=nobody)


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_confirming_starts_it(job: BulkJob, settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = ""
    start(job, WHY)
    job.refresh_from_db()
    assert (job.state, live()) == ("finished", 0)


@pytest.mark.django_db(transaction=True)
def test_with_a_broker_a_message_is_sent(
    job: BulkJob, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    recorded: list[str] = []
    monkeypatch.setattr("connections_project.core.dispatch._broker.send", recorded.append)
    start(job, WHY)
    assert (recorded, live()) == (
        ["connections_project.operations.bulk_worker.process_bulk_jobs"],
        5,
    )
    periodic_task_of(recorded[0]).do()
    assert live() == 0
    # Not when all batches are over: each commit has its revocations sent.
    assert "connections_project.revocation.worker.process_revocations" in recorded
