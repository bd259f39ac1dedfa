"""Refresh a channel's tokens: on a user's demand, or because they are about to be used."""

from uuid import UUID

from audit.record import Origin
from channels.models import ChannelConnection, Status
from channels.selectors import own_connection
from connections_project.connections.refresh import refresh
from connections_project.connections.registry import RefreshRules
from connections_project.identity.models import User

RULES = RefreshRules(
    live=Status.CONNECTED,
    refreshable=frozenset({Status.CONNECTED, Status.EXPIRED}),
    dead={"expired": Status.EXPIRED, "revoked": Status.ERROR},
)


def refresh_own(
    *, connection_id: UUID, user: User, force: bool, origin: Origin
) -> ChannelConnection:
    """Refresh a user's own channel if its token is about to end, or if forced.

    Returns:
        The connection as it stands now.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
        NotActiveError, NoRefreshTokenError, RefreshFailedError, BusyError,
        PlatformUnavailableError: See `connections.refresh.refresh`.
    """
    connection = own_connection(connection_id, user=user)
    row, _ = refresh(connection, force=force, origin=origin)
    return row
