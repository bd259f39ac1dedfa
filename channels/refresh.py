"""Refresh a channel's tokens: on a user's demand, or because they are about to be used."""

from uuid import UUID

from audit.events import Action
from audit.record import Origin
from channels.models import ChannelConnection, Status
from channels.selectors import own_connection
from connections_project.connections import refresh as shared
from connections_project.connections.refresh import RefreshRules
from connections_project.connections.renewal import renew
from connections_project.identity.models import User

RULES = RefreshRules(
    live=Status.CONNECTED,
    refreshable=frozenset({Status.CONNECTED, Status.EXPIRED}),
    dead={"expired": Status.EXPIRED, "revoked": Status.ERROR},
    refreshed=Action.CHANNEL_TOKEN_REFRESHED,
    failed=Action.CHANNEL_TOKEN_REFRESH_FAILED,
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
    row, _ = shared.refresh(connection, rules=RULES, force=force, origin=origin)
    return row


def refreshed_for_use(
    connection: ChannelConnection, *, origin: Origin, force: bool = False
) -> ChannelConnection:
    """Return a connected channel with an access token that lives long enough to be used.

    Raises:
        As `refresh_own`.
    """
    row, _ = shared.refresh(connection, rules=RULES, force=force, origin=origin)
    return row


def renew_ending_grants() -> int:
    """Try to renew some of those that have lived half of their life; say how many were."""
    return renew(ChannelConnection.objects.filter(status=Status.CONNECTED), refreshed_for_use)
