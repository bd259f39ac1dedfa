"""Read a connection's accounts and recent transactions, and keep what is new of them."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

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
from connections_project.identity.models import User
from connections_project.oauth.errors import PlatformError, as_dead_grant, is_locked_out
from connections_project.platforms.registry import usable
from providers.models import Account, Connection, Status, Transaction
from providers.selectors import own_connection
from providers.statements import Movement, Statement, read_statements

INTERVAL = timedelta(minutes=5)
ACCOUNT_FIELDS = ("name", "type", "currency", "balance")
MOVEMENT_FIELDS = ["posted_at", "amount", "currency", "description"]


@dataclass
class Tally:
    """What a sync did, in accounts."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: int = 0


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
    return _store(connection.pk, _read(connection, origin=origin), origin=origin)


def _refuse_if_recent(connection: Connection, *, force: bool) -> None:
    last = connection.last_sync_at
    wait = last + INTERVAL - timezone.now() if last else timedelta()
    if not force and wait > timedelta():
        raise SyncedRecentlyError(retry_after=int(wait.total_seconds()) + 1)


def _read(connection: Connection, *, origin: Origin) -> list[Statement | None]:
    """Read all statements; a refused access token is refreshed once (RFC 6750, section 3.1)."""
    row = refreshed_for_use(connection, origin=origin)
    try:
        return _ask(row, insists=row.has_refresh_token)
    except PlatformError as error:
        if not is_locked_out(error) or not row.has_refresh_token:
            raise _failed(row, error, origin=origin) from error
    row = refreshed_for_use(row, origin=origin, force=True)
    try:
        return _ask(row)
    except PlatformError as error:
        raise _failed(row, error, origin=origin) from error


def _failed(row: Connection, error: PlatformError, *, origin: Origin) -> SyncFailedError:
    """Record a failure; a refusal that no refresh helps ends the connection."""
    if is_locked_out(error):
        mark_dead_unless_changed(row, as_dead_grant(error), origin=origin)
    _record_failure(row, error, origin=origin)
    return SyncFailedError()


def _ask(row: Connection, *, insists: bool = False) -> list[Statement | None]:
    upstream, token = usable(row.provider_slug), row.opened().access_token
    return list(read_statements(upstream, access_token=token, insists=insists))


def _record_failure(connection: Connection, error: PlatformError, *, origin: Origin) -> None:
    with transaction.atomic():
        record_about(
            connection,
            Action.PROVIDER_DATA_SYNCED,
            origin=origin,
            outcome=Outcome.FAILURE,
            error=error.code,
        )


def _store(connection_id: UUID, statements: list[Statement | None], *, origin: Origin) -> Tally:
    """Store what was read, unless the connection was disconnected meanwhile."""
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection_id)
        if connection.status != Status.ACTIVE:
            raise NotActiveError
        now = timezone.now()
        readable = {one.platform_account_id: one for one in statements if one is not None}
        tally = _store_accounts(connection, readable, now=now)
        tally.errors += sum(1 for one in statements if one is None or not one.is_whole)
        _store_movements(connection, readable)
        connection.last_sync_at = connection.updated_at = now
        connection.save(update_fields=["last_sync_at", "updated_at"])
        record_about(connection, Action.PROVIDER_DATA_SYNCED, origin=origin, accounts=asdict(tally))
    return tally


def _store_accounts(
    connection: Connection, statements: dict[str, Statement], *, now: datetime
) -> Tally:
    known = {account.platform_account_id: account for account in connection.accounts.all()}
    changed = []
    for account_id in known.keys() & statements.keys():
        if _has_changed(known[account_id], statements[account_id], now=now):
            changed.append(known[account_id])
    new = [_account(connection, one, now) for key, one in statements.items() if key not in known]
    Account.objects.bulk_update(changed, [*ACCOUNT_FIELDS, "updated_at"], batch_size=1000)
    Account.objects.bulk_create(new)
    unchanged = len(statements) - len(new) - len(changed)
    return Tally(created=len(new), updated=len(changed), unchanged=unchanged)


def _has_changed(account: Account, statement: Statement, *, now: datetime) -> bool:
    values = {field: getattr(statement, field) for field in ACCOUNT_FIELDS}
    if not statement.knows_balance:
        del values["balance"]
    if all(getattr(account, field) == value for field, value in values.items()):
        return False
    for field, value in values.items():
        setattr(account, field, value)
    account.updated_at = now
    return True


def _account(connection: Connection, statement: Statement, now: datetime) -> Account:
    return Account(
        connection=connection,
        platform_account_id=statement.platform_account_id,
        created_at=now,
        updated_at=now,
        **{field: getattr(statement, field) for field in ACCOUNT_FIELDS},
    )


def _store_movements(connection: Connection, statements: dict[str, Statement]) -> None:
    """Insert what is new and correct what is known, by one statement a batch."""
    accounts = {account.platform_account_id: account for account in connection.accounts.all()}
    rows = {
        (account_id, movement.platform_transaction_id): _row(accounts[account_id], movement)
        for account_id, statement in statements.items()
        for movement in statement.movements
    }
    Transaction.objects.bulk_create(
        rows.values(),
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["account", "platform_transaction_id"],
        update_fields=MOVEMENT_FIELDS,
    )


def _row(account: Account, movement: Movement) -> Transaction:
    return Transaction(account=account, **asdict(movement))
