"""A callback whose process died leaves a pending row, which must not stay."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.periodic import run_due
from connections_project.identity.models import User
from providers import sweep
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, events

# Some periodic tasks run in threads of their own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def left(owner: User, bank: Bank) -> Connection:
    return connection_of(owner, status="pending", now=timezone.now() - timedelta(seconds=601))


def status_of(row: Connection) -> str:
    row.refresh_from_db()
    return row.status


def test_after_ten_minutes_it_has_failed_audited(left: Connection, owner: User) -> None:
    epoch = left.epoch
    run_due()
    run_due()
    assert status_of(left) == "failed"
    # So that a callback that comes back after all finds the row changed.
    assert left.epoch == epoch + 1
    (event,) = events("provider_connection_failed")
    assert (event.subject_id, event.subject_owner_id) == (left.pk, owner.pk)
    assert (event.actor_type, event.outcome) == ("system", "failure")
    assert event.details == {"platform": "bank", "error": "interrupted"}


def test_many_are_ended_in_batches(
    owner: User, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    before = timezone.now() - timedelta(seconds=601)
    for number in range(5):
        connection_of(owner, status="pending", now=before, account_id=str(number))
    assert sweep.sweep_pending() == 5
    assert set(Connection.objects.values_list("status", flat=True)) == {"failed"}
    assert len(events("provider_connection_failed")) == 5


def test_before_that_it_is_left_alone(owner: User, bank: Bank) -> None:
    row = connection_of(owner, status="pending")
    with time_machine.travel(timezone.now() + timedelta(seconds=590), tick=False):
        run_due()
    assert status_of(row) == "pending"
    assert events("provider_connection_failed") == []


def test_how_long_it_takes_is_a_setting(owner: User, bank: Bank, settings: LazySettings) -> None:
    row = connection_of(owner, status="pending", now=timezone.now() - timedelta(seconds=2))
    settings.PENDING_CONNECTION_SECONDS = 1
    run_due()
    assert status_of(row) == "failed"


@pytest.mark.parametrize("status", ["active", "expired", "revoked", "failed", "disconnected"])
def test_no_other_status_is_touched(owner: User, bank: Bank, status: str) -> None:
    row = connection_of(owner, status=status, now=timezone.now() - timedelta(days=9))
    run_due()
    assert status_of(row) == status


def test_readers_see_the_failure_before_the_sweep(api: APIClient, left: Connection) -> None:
    shown = api.get(f"/api/v1/providers/{left.pk}").json()
    assert (shown["status"], shown["needs_reauthentication"]) == ("failed", True)


def test_the_list_shows_it_too(api: APIClient, left: Connection, owner: User) -> None:
    connection_of(owner, status="pending", now=timezone.now() - timedelta(hours=1))
    listed = api.get("/api/v1/providers").json()["connections"]
    assert [one["status"] for one in listed] == ["failed", "failed"]
    assert len(events("provider_connection_failed")) == 2


def test_the_command_that_retries_revocations_sweeps(left: Connection) -> None:
    call_command("run_revocations", "--json")
    assert status_of(left) == "failed"


def test_an_abandoned_one_can_be_deleted(api: APIClient, left: Connection) -> None:
    url = f"/api/v1/providers/{left.pk}"
    assert [api.delete(url).status_code for _ in range(3)] == [204, 204, 404]
    assert status_of(left) == "disconnected"
