"""What the database itself refuses, whoever writes (docs/architecture.md, "Invariants")."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connections_project.identity.models import User
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

NOW = "CURRENT_TIMESTAMP"


def update(row: Connection, assignments: str) -> None:
    """Write past all models; the id's spelling differs between the databases."""
    key = row.pk.hex if connection.vendor == "sqlite" else str(row.pk)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE providers_connection SET {assignments} WHERE id = %s", [key])
        assert cursor.rowcount == 1


@pytest.fixture
def active(owner: User, bank: Bank) -> Connection:
    return connection_of(owner)


@pytest.fixture
def disconnected(owner: User, bank: Bank) -> Connection:
    return connection_of(owner, status="disconnected")


@pytest.mark.parametrize(
    "assignments",
    [
        "status = 'disconnected'",
        f"status = 'disconnected', disconnected_at = {NOW}",
        f"status = 'disconnected', disconnected_at = {NOW}, auth_state = NULL",
        "status = 'disconnected', auth_state = NULL, has_refresh_token = (1 = 0)",
    ],
)
def test_a_disconnected_row_holds_nothing(active: Connection, assignments: str) -> None:
    with pytest.raises(IntegrityError):
        update(active, assignments)


@pytest.mark.parametrize(
    "assignments",
    [
        "auth_state = 'a ciphertext'",
        "has_refresh_token = (1 = 1)",
        "disconnected_at = NULL",
        # Back from the dead.
        "status = 'active'",
        "status = 'expired'",
    ],
)
def test_a_disconnected_row_stays_so(disconnected: Connection, assignments: str) -> None:
    with pytest.raises(IntegrityError):
        update(disconnected, assignments)


@pytest.mark.parametrize("status", ["", "ACTIVE", "connected", "deleted"])
def test_an_unknown_status_is_refused(active: Connection, status: str) -> None:
    with pytest.raises(IntegrityError):
        update(active, f"status = '{status}'")


def test_an_active_row_holds_credentials(active: Connection) -> None:
    for assignments in ("auth_state = NULL", "connected_at = NULL"):
        with pytest.raises(IntegrityError):
            update(active, assignments)


def test_only_disconnected_rows_are_soft_deleted(
    active: Connection, owner: User, disconnected: Connection
) -> None:
    with pytest.raises(IntegrityError):
        update(active, f"deleted_at = {NOW}")
    update(disconnected, f"deleted_at = {NOW}")


def test_a_complete_disconnect_is_taken(active: Connection) -> None:
    update(
        active,
        f"status = 'disconnected', disconnected_at = {NOW}, auth_state = NULL,"
        " has_refresh_token = (1 = 0)",
    )


def test_an_account_is_connected_once_a_user(active: Connection, owner: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        connection_of(owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        connection_of(owner, status="expired")
    connection_of(owner, account_id="another")


def test_two_users_may_share_an_account(active: Connection, outsider: User) -> None:
    connection_of(outsider)


def test_accounts_of_unknown_owners_do_not_clash(owner: User, bank: Bank) -> None:
    connection_of(owner, account_id=None)
    connection_of(owner, account_id=None)


def test_a_job_holds_a_token_only_while_pending(active: Connection, owner: User) -> None:
    for state, sealed, finished in (
        ("'revoked'", "'a ciphertext'", NOW),
        ("'revoked'", "NULL", "NULL"),
        ("'pending'", "NULL", "NULL"),
        ("'pending'", "'a ciphertext'", NOW),
        ("'nonsense'", "NULL", NOW),
    ):
        with pytest.raises(IntegrityError):
            insert_job(active, state, sealed, finished)
    insert_job(active, "'pending'", "'a ciphertext'", "NULL")


def insert_job(row: Connection, state: str, sealed: str, finished: str) -> None:
    key = row.pk.hex if connection.vendor == "sqlite" else str(row.pk)
    columns = (
        "id, app, platform, connection_id, owner_id, authority, client_id, state, sealed_tokens,"
        " finished_at, attempts, last_error, created_at, due_at, trace_id"
    )
    values = f"%s, 'a', 'p', %s, %s, '', '', {state}, {sealed}, {finished}, 0, '', %s, %s, ''"
    with transaction.atomic(), connection.cursor() as cursor:
        now = timezone.now()
        cursor.execute(
            f"INSERT INTO revocation_revocationjob ({columns}) VALUES ({values})",
            [key, key, key, now, now],
        )
