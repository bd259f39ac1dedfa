"""Read a connection's accounts and recent transactions, and keep what is new of them."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.events import Action, Outcome
from audit.record import Origin
from connections_project.connections.errors import (
    NotActiveError,
    SyncedRecentlyError,
    SyncFailedError,
)
from connections_project.connections.outbound_limits import reserve
from connections_project.connections.records import record_about
from connections_project.connections.refresh import mark_dead_unless_changed, refreshed_for_use
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.oauth.errors import PlatformError, as_dead_grant, is_locked_out
from connections_project.platforms.registry import usable
from providers.models import Connection, Status
from providers.reader import Reader, reader_of
from providers.selectors import own_connection
from providers.statements import Statement, read_movements, read_statements
from providers.storing import MovementStore, Tally, still_active, store_accounts

INTERVAL = timedelta(minutes=5)

# Who has read the accounts, and goes on to read their transactions.
Read = tuple[Reader, list[Statement | None]]


def sync_own(*, connection_id: UUID | None, user: User, force: bool, origin: Origin) -> Tally:
    """Sync a user's own connection.

    Args:
        connection_id: None for an id that is none.
        force: Also within 5 minutes of the last one.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
        NotActiveError: Not active, or a disconnect won.
        SyncedRecentlyError: The last sync is too fresh.
        SyncFailedError, RefreshFailedError: The platform failed.
        NotReadableError: Nobody says how this platform is read.
        PlatformUnavailableError, BusyError: See `connections.refresh.refresh`.
    """
    connection = own_connection(connection_id, user_id=user.pk)
    if connection.status != Status.ACTIVE:
        raise NotActiveError
    _refuse_if_recent(connection, force=force)
    usable(connection.provider_slug)
    reserve(connection.provider_slug)
    reader, read = _read(connection, origin=origin)
    return _store(connection, reader, read, origin=origin)


def _refuse_if_recent(connection: Connection, *, force: bool) -> None:
    last = connection.last_sync_at
    wait = last + INTERVAL - clock.now() if last else timedelta()
    if not force and wait > timedelta():
        raise SyncedRecentlyError(retry_after=int(wait.total_seconds()) + 1)


@dataclass
class _Access:
    """A connection whose access token is refreshed where it is refused."""

    row: Connection
    origin: Origin

    def renew(self) -> str:
        self.row = refreshed_for_use(self.row, origin=self.origin, force=True)
        return self.row.opened().access_token


def _read(connection: Connection, *, origin: Origin) -> Read:
    """Read all accounts, and return who goes on to read their transactions."""
    row = refreshed_for_use(connection, origin=origin)
    access = _Access(row, origin)
    renew = access.renew if row.has_refresh_token else None
    token, found = row.opened().access_token, usable(row.provider_slug)
    reader = reader_of(found, access_token=token, renew=renew)
    try:
        return reader, read_statements(reader)
    except PlatformError as error:
        raise _failed(access.row, error, origin=origin) from error


def _failed(row: Connection, error: PlatformError, *, origin: Origin) -> SyncFailedError:
    """Record a failure; a refusal that no refresh helps ends the connection."""
    if is_locked_out(error):
        mark_dead_unless_changed(row, as_dead_grant(error), origin=origin)
    _record_failure(row, error.code, origin=origin)
    return SyncFailedError()


def _record_failure(connection: Connection, error: str, *, origin: Origin, **details: Any) -> None:
    with transaction.atomic():
        record_about(
            connection,
            Action.PROVIDER_DATA_SYNCED,
            origin=origin,
            outcome=Outcome.FAILURE,
            error=error,
            **details,
        )


def _store(
    connection: Connection, reader: Reader, read: list[Statement | None], *, origin: Origin
) -> Tally:
    """Store accounts, then their transactions as they are read, and last that all was done.

    What is stored before a disconnect wins stays, as after any sync; it is safe to repeat.
    """
    statements = {one.platform_account_id: one for one in read if one is not None}
    tally, ids = store_accounts(connection.pk, statements)
    cut = {ids[key] for key, one in statements.items() if not one.knows_balance}
    try:
        cut |= _store_movements(connection.pk, reader, [(ids[key], statements[key]) for key in ids])
        tally.errors = read.count(None) + len(cut)
        _finish(connection.pk, tally, origin=origin)
    except NotActiveError:
        _record_failure(connection, NotActiveError.code, origin=origin, accounts=asdict(tally))
        raise
    return tally


def _store_movements(
    connection_id: UUID, reader: Reader, accounts: list[tuple[UUID, Statement]]
) -> set[UUID]:
    """Read and store transactions; return the accounts of which some are missing."""
    store = MovementStore(connection_id, lambda: reader.is_late)
    for account_id, statement in accounts:
        movements = read_movements(reader, statement)
        if not movements.is_whole:
            store.cut.add(account_id)
        store.add(account_id, movements.found)
    store.flush()
    return store.cut


def _finish(connection_id: UUID, tally: Tally, *, origin: Origin) -> None:
    with still_active(connection_id) as connection:
        connection.last_sync_at = connection.updated_at = clock.now()
        connection.save(update_fields=["last_sync_at", "updated_at"])
        record_about(connection, Action.PROVIDER_DATA_SYNCED, origin=origin, accounts=asdict(tally))
