"""Ending what a crash left pending, beside each other."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
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
