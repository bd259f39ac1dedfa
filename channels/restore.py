"""Bring a soft-deleted connection back to its owner's sight, never its tokens."""

from uuid import UUID

from django.db import transaction

from audit.events import Action
from audit.record import Origin
from channels.models import ChannelConnection
from channels.selectors import locked_connections
from connections_project.connections.errors import ConnectionNotFoundError
from connections_project.connections.records import record_about
from connections_project.core import clock


def restore(*, connection_id: UUID, reason: str = "", origin: Origin) -> bool:
    """Show a connection to its owner again; it stays disconnected, and holds no credentials.

    Args:
        reason: Why, at most 512 characters.
        origin: The operator's call, for the audit log.

    Returns:
        Whether it was soft-deleted.

    Raises:
        ConnectionNotFoundError: There is none with that id.
    """
    with transaction.atomic():
        connection = locked_connections().filter(pk=connection_id).first()
        if connection is None:
            raise ConnectionNotFoundError
        if connection.deleted_at is None:
            return False
        _show(connection)
        record_about(connection, Action.CHANNEL_RESTORED, origin=origin, reason=reason)
    return True


def _show(connection: ChannelConnection) -> None:
    connection.deleted_at = None
    connection.updated_at = clock.now()
    connection.save(update_fields=["deleted_at", "updated_at"])
