"""Disconnect a provider: here at once and for good, at the platform right after the commit."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from audit.events import Action
from audit.record import Origin
from connections_project.connections.disconnect import (
    DisconnectRequest,
    DisconnectResult,
    disconnect_and_erase,
)
from connections_project.connections.records import record_about
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.revocation.dispatch import dispatch_revocations
from providers.models import Connection, Status
from providers.selectors import own_connection


def disconnect_own(*, connection_id: UUID | None, user: User, origin: Origin) -> Connection:
    """Disconnect a user's own connection; safe to repeat.

    Raises:
        ConnectionNotFoundError: Unknown, or deleted.
        NotOwnerError: Somebody else's.
    """
    with transaction.atomic():
        connection, _ = _ended(connection_id, user, origin)
    return connection


def disconnect_or_delete(*, connection_id: UUID | None, user: User, origin: Origin) -> Connection:
    """Disconnect a user's own connection; delete from sight one that is disconnected already.

    Raises:
        ConnectionNotFoundError: Unknown, or deleted.
        NotOwnerError: Somebody else's.
    """
    with transaction.atomic():
        connection, was_over = _ended(connection_id, user, origin)
        if was_over:
            _delete(connection, origin=origin)
    return connection


def _ended(connection_id: UUID | None, user: User, origin: Origin) -> tuple[Connection, bool]:
    """Lock a user's own connection and see that it is over; return whether it was so before."""
    rows = Connection.objects.select_for_update()
    connection = own_connection(connection_id, user_id=user.pk, rows=rows)
    connection.user = user
    was_over = connection.status == Status.DISCONNECTED
    if not was_over:
        result = disconnect([connection], DisconnectRequest(origin))
        dispatch_revocations(result.job_ids, interface=origin.interface)
    return connection, was_over


def disconnect(rows: Sequence[Connection], request: DisconnectRequest) -> DisconnectResult:
    """Disconnect connections that the caller has locked, in the caller's transaction."""
    return disconnect_and_erase(rows, request, Action.PROVIDER_DISCONNECTED)


def _delete(connection: Connection, *, origin: Origin) -> None:
    connection.deleted_at = connection.updated_at = clock.now()
    connection.save(update_fields=["deleted_at", "updated_at"])
    record_about(connection, Action.PROVIDER_DELETED, origin=origin)
