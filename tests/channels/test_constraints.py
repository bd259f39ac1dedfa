"""What the database itself refuses, whoever writes (docs/architecture.md, "Invariants")."""

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.identity.models import User
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.chirp import Chirp

NOW = "CURRENT_TIMESTAMP"
EMPTY = (
    f"status = 'disconnected', disconnected_at = {NOW}, auth_state = NULL,"
    " has_refresh_token = (1 = 0), refresh_token_prefix = NULL, refresh_token_hash = NULL,"
    " cached_data = NULL"
)


def update(row: models.Model, assignments: str) -> None:
    """Write past all models; the id's spelling differs between the databases."""
    key = row.pk.hex if connection.vendor == "sqlite" else str(row.pk)
    table = row._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {assignments} WHERE id = %s", [key])
        assert cursor.rowcount == 1


def refused(row: models.Model, assignments: str) -> bool:
    try:
        update(row, assignments)
    except IntegrityError:
        return True
    return False


@pytest.fixture
def connected(owner: User, chirp: Chirp) -> ChannelConnection:
    return channel_of(owner, cached_data={"picture": "https://chirp.example.com/ada.png"})


@pytest.fixture
def schedule(connected: ChannelConnection) -> Schedule:
    return schedule_of(connected)


def test_the_tables_are_named_as_in_the_document() -> None:
    tables = [each._meta.db_table for each in (ChannelConnection, Schedule, PublishEvent)]
    assert tables == ["channel_connections", "schedules", "publish_events"]


@pytest.mark.parametrize(
    "kept",
    [
        "auth_state = 'a ciphertext'",
        "has_refresh_token = (1 = 1)",
        "refresh_token_prefix = '1//0abcdefghijkl'",
        "refresh_token_hash = 'a hash'",
        "cached_data = '{}'",
        "disconnected_at = NULL",
        "status = 'connected'",
        "status = 'expired'",
    ],
)
def test_a_disconnected_row_stays_empty(connected: ChannelConnection, kept: str) -> None:
    update(connected, EMPTY)

    assert refused(connected, kept)


def test_status_alone_cannot_disconnect_a_row(connected: ChannelConnection) -> None:
    assert refused(connected, "status = 'disconnected'")


@pytest.mark.parametrize("status", ["", "CONNECTED", "active", "pending", "deleted"])
def test_an_unknown_status_is_refused(connected: ChannelConnection, status: str) -> None:
    assert refused(connected, f"status = '{status}'")


def test_a_connected_row_holds_credentials(connected: ChannelConnection) -> None:
    assert refused(connected, "auth_state = NULL")
    assert refused(connected, "connected_at = NULL")


def test_only_disconnected_rows_are_soft_deleted(connected: ChannelConnection) -> None:
    assert refused(connected, f"deleted_at = {NOW}")
    update(connected, f"{EMPTY}, deleted_at = {NOW}")


@pytest.mark.parametrize("status", ["connected", "expired", "error"])
def test_an_account_has_one_live_row_a_user(
    connected: ChannelConnection, owner: User, status: str
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        channel_of(owner, status=status)
    channel_of(owner, status=status, account_id="another")


def test_disconnected_rows_of_an_account_may_be_many(owner: User, chirp: Chirp) -> None:
    for _ in range(2):
        channel_of(owner, status="disconnected")
    channel_of(owner)


def test_two_users_may_share_an_account(connected: ChannelConnection, outsider: User) -> None:
    channel_of(outsider)


@pytest.mark.parametrize(
    "assignments",
    [
        "status = 'PENDING'",
        f"published_at = {NOW}",
        f"cancelled_at = {NOW}",
        "failure_reason = 'outcome_unknown'",
        f"leased_until = {NOW}",
        f"status = 'published', leased_until = {NOW}",
    ],
)
def test_a_schedules_columns_match_its_status(schedule: Schedule, assignments: str) -> None:
    assert refused(schedule, assignments)


def test_a_schedule_is_published_once(schedule: Schedule) -> None:
    def publish(outcome: str) -> None:
        PublishEvent.objects.create(
            schedule=schedule,
            channel_connection=schedule.channel_connection,
            outcome=outcome,
            occurred_at=timezone.now(),
        )

    publish("failed")
    publish("failed")
    publish("published")
    with pytest.raises(IntegrityError), transaction.atomic():
        publish("published")


def test_nothing_that_has_a_history_can_be_deleted(schedule: Schedule) -> None:
    with pytest.raises(models.ProtectedError):
        schedule.channel_connection.delete()
