"""Read a user's connections."""

from uuid import UUID

from django.db.models import QuerySet

from connections_project.connections.errors import ConnectionNotFoundError, NotOwnerError
from connections_project.core import clock
from providers.models import Account, Connection, ConnectionQuerySet
from providers.sweep import is_left_pending, sweep_pending


def own_connection(
    connection_id: UUID | None, *, user_id: UUID, rows: ConnectionQuerySet | None = None
) -> Connection:
    """Return a user's own connection.

    Args:
        connection_id: None for an id that is none.
        rows: Where to look, such as locked rows; all visible ones by default.

    Raises:
        ConnectionNotFoundError: Unknown, or deleted.
        NotOwnerError: Somebody else's.
    """
    visible = (Connection.objects.all() if rows is None else rows).visible()
    if connection_id is None:
        raise ConnectionNotFoundError
    try:
        connection = visible.get(pk=connection_id)
    except Connection.DoesNotExist:
        raise ConnectionNotFoundError from None
    if connection.user_id != user_id:
        raise NotOwnerError
    return _after_sweep(connection)


def own_connections(user_id: UUID) -> list[Connection]:
    """List a user's connections, newest first."""
    rows = Connection.objects.of_user(user_id).listed()
    now = clock.now()
    if any(is_left_pending(connection, now=now) for connection in rows):
        sweep_pending()
        rows = rows.all()
    return list(rows)


def _after_sweep(connection: Connection) -> Connection:
    """Show what a crash left pending as the failure that it is, even before the sweep comes by."""
    if not is_left_pending(connection, now=clock.now()):
        return connection
    sweep_pending()
    return Connection.objects.get(pk=connection.pk)


def own_accounts(user_id: UUID, *, connection_id: UUID | None) -> QuerySet[Account]:
    """Return a user's accounts, newest first; those of deleted connections are out of sight.

    Args:
        connection_id: Only those of this connection; None for all.

    Raises:
        ConnectionNotFoundError, NotOwnerError: Of that connection.
    """
    accounts = Account.objects.filter(
        connection__user_id=user_id, connection__deleted_at=None
    ).order_by("-created_at", "-id")
    if connection_id is None:
        return accounts
    return accounts.filter(connection=own_connection(connection_id, user_id=user_id))


def own_account(account_id: UUID | None, *, user_id: UUID) -> Account:
    """Return a user's own account.

    Raises:
        ConnectionNotFoundError: Unknown, or its connection was deleted.
        NotOwnerError: Somebody else's.
    """
    accounts = Account.objects.select_related("connection").filter(connection__deleted_at=None)
    account = accounts.filter(pk=account_id).first() if account_id else None
    if account is None:
        raise ConnectionNotFoundError
    if account.connection.user_id != user_id:
        raise NotOwnerError
    return account
