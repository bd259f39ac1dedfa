"""Disconnect a channel: here at once and for good, at the platform right after the commit.

A channel that still has something to publish is not torn down by accident: its schedules have to
be cancelled first, or with it.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from channels.cancel import cancel_active
from channels.errors import ActiveSchedulesError
from channels.models import ChannelConnection, Status
from channels.selectors import locked_connections, own_connection_to_end
from connections_project.connections.records import record_about
from connections_project.identity.models import User
from connections_project.revocation.release import release_grant

MOST_IDS_TOLD = 100


def disconnect_own(
    *,
    connection_id: UUID,
    user: User,
    cancel_schedules: bool = False,
    soft_delete: bool = False,
    origin: Origin,
) -> ChannelConnection:
    """Disconnect a user's own channel; safe to repeat.

    Args:
        connection_id: Which one.
        user: Who asks.
        cancel_schedules: Whether what is scheduled on it is cancelled too.
        soft_delete: Whether it also goes from the user's sight, which can be asked for later too.
        origin: The call, for the audit log.

    Raises:
        ConnectionNotFoundError: Unknown, or soft-deleted.
        ServiceAccountError, NotOwnerError: Somebody else's.
        ActiveSchedulesError: Something is scheduled on it, and shall not be cancelled.
    """
    with transaction.atomic():
        rows = locked_connections()
        connection = own_connection_to_end(connection_id, user=user, rows=rows)
        if connection.status != Status.DISCONNECTED:
            disconnect(connection, origin=origin, cancel_schedules=cancel_schedules)
        if soft_delete:
            _delete(connection, origin=origin)
    return connection


def disconnect(
    connection: ChannelConnection,
    *,
    origin: Origin,
    revoke: bool = True,
    cancel_schedules: bool = False,
) -> None:
    """End a connection that the caller has locked, in the caller's transaction.

    Raises:
        ActiveSchedulesError: Something is scheduled on it, and shall not be cancelled.
    """
    cancelled = 0
    if cancel_schedules:
        cancelled = cancel_active(connection, origin=origin)
    else:
        refuse_active_schedules(connection)
    end(connection, origin=origin, revoke=revoke, schedules_cancelled=cancelled)


def refuse_active_schedules(connection: ChannelConnection) -> None:
    """See that nothing is scheduled on a connection that the caller has locked.

    Raises:
        ActiveSchedulesError: Something is.
    """
    active = connection.schedules.active()
    count = active.count()
    if count:
        first = active.order_by("id").values_list("id", flat=True)[:MOST_IDS_TOLD]
        raise ActiveSchedulesError(count, list(first))


def end(connection: ChannelConnection, *, origin: Origin, revoke: bool, **details: Any) -> None:
    """End a locked connection on which nothing is scheduled any more.

    The credentials are moved, unopened, to the revoker where the platform must be told, and are
    gone from the row with the same commit, as is all that was cached of the account.

    Args:
        connection: The row.
        origin: Who ends it.
        revoke: Whether the platform is told.
        details: What else the audit log shall know.
    """
    had_credentials = connection.auth_state is not None
    decision = release_grant(connection.token_bundle(), origin=origin, revoke=revoke)
    connection.disconnect(now=timezone.now())
    connection.save()
    record_about(
        connection,
        Action.CHANNEL_DISCONNECTED,
        origin=origin,
        credentials_erased=had_credentials,
        revocation=decision,
        **details,
    )


def _delete(connection: ChannelConnection, *, origin: Origin) -> None:
    connection.deleted_at = connection.updated_at = timezone.now()
    connection.save(update_fields=["deleted_at", "updated_at"])
    record_about(connection, Action.CHANNEL_DELETED, origin=origin)
