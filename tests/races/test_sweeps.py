"""Ending what a crash left pending, beside each other."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.operations.bulk_jobs import AlreadyStartedError, start, sweep_bulk_jobs
from connections_project.operations.models import BulkItem, BulkJob
from connections_project.operations.options import DisconnectOptions
from providers import selectors, sweep
from providers.models import Connection, Status
from tests.conftest import SignIn
from tests.races.conftest import at_once

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def left_pending(user: User) -> Connection:
    long_ago = timezone.now() - timedelta(days=1)
    return Connection.objects.create(
        user=user, provider_slug="schwab", created_at=long_ago, updated_at=long_ago
    )


def test_two_disconnects_of_a_pending_one_end(
    owner: User,
    outsider: User,
    api: APIClient,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other, rows = sign_in(outsider), [left_pending(owner), left_pending(outsider)]
    barrier, sweep_pending = threading.Barrier(2), sweep.sweep_pending

    def when_both_hold_their_own_row() -> int:
        # SQLite lets only one of them in at a time.
        with suppress(threading.BrokenBarrierError):
            barrier.wait(0.5)
        return sweep_pending()

    monkeypatch.setattr(selectors, "sweep_pending", when_both_hold_their_own_row)
    answers = at_once(
        [
            lambda: api.delete(f"/api/v1/auth/{rows[0].pk}/disconnect"),
            lambda: other.delete(f"/api/v1/auth/{rows[1].pk}/disconnect"),
        ]
    )
    assert [one.status_code for one in answers] == [200, 200]
    assert set(Connection.objects.values_list("status", flat=True)) == {Status.DISCONNECTED}


def test_sweeps_at_once_end_each_row_once(owner: User) -> None:
    for _ in range(5):
        left_pending(owner)
    swept = at_once([sweep.sweep_pending] * 6)
    assert sum(swept) == 5
    assert AuditEvent.objects.filter(action="provider_connection_failed").count() == 5
    assert set(Connection.objects.values_list("status", flat=True)) == {Status.FAILED}


def test_a_bulk_job_is_not_confirmed_while_it_is_swept(owner: User) -> None:
    """Whoever confirms it last is told that it's over, instead of seeing it vanish."""
    long_ago = timezone.now() - timedelta(days=2)
    job = BulkJob.objects.create(
        app="providers", requested_by=owner.pk, interface="admin", trace_id="1", created_at=long_ago
    )
    BulkItem.objects.create(job=job, connection_id=job.pk)
    told: list[str] = []

    def confirm() -> None:
        try:
            start(job, DisconnectOptions("breach"))
        except AlreadyStartedError:
            told.append("over")
        finally:
            connections.close_all()

    def while_items_go(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith("DELETE") and "bulkitem" in sql and not threads:
            thread = threading.Thread(target=confirm)
            threads.append(thread)
            thread.start()
            thread.join(0.5)
        return execute(sql, *more)

    threads: list[threading.Thread] = []
    with connection.execute_wrapper(while_items_go):
        sweep_bulk_jobs()
    for thread in threads:
        thread.join()
    assert told == ["over"]
