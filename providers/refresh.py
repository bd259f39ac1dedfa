"""Refresh a provider's tokens: on a user's demand, or because they are about to be used."""

from uuid import UUID

from audit.record import Origin
from connections_project.connections.refresh import refresh
from connections_project.connections.registry import RefreshRules
from connections_project.identity.models import User
from providers.models import Connection, Status
from providers.selectors import own_connection

RULES = RefreshRules(
    live=Status.ACTIVE,
    refreshable=frozenset({Status.ACTIVE, Status.EXPIRED}),
    dead={"expired": Status.EXPIRED, "revoked": Status.REVOKED},
)


def refresh_own(
    *, connection_id: UUID | None, user: User, force: bool, origin: Origin
) -> tuple[Connection, bool]:
    """Refresh a user's own connection if its token is about to end, or if forced.

    Returns:
        The connection as it stands now, and whether its token is a new one.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
        NotActiveError, NoRefreshTokenError, RefreshFailedError, BusyError,
        PlatformUnavailableError: See `connections.refresh.refresh`.
    """
    connection = own_connection(connection_id, user_id=user.pk)
    return refresh(connection, force=force, origin=origin)
