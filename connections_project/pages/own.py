"""A person's own connection: found, and disconnected."""

from typing import Any
from uuid import UUID

from django.db import transaction

from audit.record import Origin
from connections_project.connections.disconnect import DisconnectRequest, lock_rows
from connections_project.connections.errors import ConnectionNotFoundError
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import (
    DISCONNECTED,
    connection_type,
    connection_types,
    own_rows,
)
from connections_project.identity.models import User
from connections_project.revocation.dispatch import dispatch_revocations


class WorkWaitingError(Exception):
    """Something is still to be done through the connection."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def own_connection(connection_id: UUID, *, user: User) -> Any:
    """Return a user's own connection of any app, or one of its teams'.

    Raises:
        ConnectionNotFoundError: Unknown, deleted, or somebody else's: the error doesn't say which.
    """
    for one in connection_types():
        row = own_rows(one, user.pk).filter(pk=connection_id).first()
        if row is not None:
            return row
    raise ConnectionNotFoundError


def disconnect_own(
    connection_id: UUID, *, user: User, cancel_schedules: bool, origin: Origin
) -> OAuthConnection:
    """Disconnect a user's own connection of any app by its app's verb; safe to repeat.

    Args:
        cancel_schedules: Whether what is still to be done through it is cancelled too.

    Raises:
        ConnectionNotFoundError: See `own_connection`.
        WorkWaitingError: Something is to be done through it, and shall not be cancelled.
    """
    app = own_connection(connection_id, user=user).app
    one = connection_type(app)
    with transaction.atomic():
        rows = lock_rows(own_rows(one, user.pk).filter(pk=connection_id), skip_locked=False)
        if not rows:
            raise ConnectionNotFoundError
        if rows[0].status != DISCONNECTED:
            request = DisconnectRequest(origin, cancel_schedules=cancel_schedules)
            result = one.disconnect(rows, request)
            for failure in result.failures:
                raise WorkWaitingError(failure.count)
            dispatch_revocations(result.job_ids, interface=origin.interface)
        ended: OAuthConnection = rows[0]
    return ended
