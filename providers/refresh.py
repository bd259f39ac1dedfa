"""Refresh a provider's tokens: on a user's demand, or because they are about to be used."""

from uuid import UUID

from audit.events import Action
from audit.record import Origin
from connections_project.connections import refresh as shared
from connections_project.connections.refresh import RefreshRules
from connections_project.connections.renewal import renew
from connections_project.identity.models import User
from providers.models import Connection, Status
from providers.selectors import own_connection

RULES = RefreshRules(
    live=Status.ACTIVE,
    refreshable=frozenset({Status.ACTIVE, Status.EXPIRED}),
    dead={"expired": Status.EXPIRED, "revoked": Status.REVOKED},
    refreshed=Action.PROVIDER_TOKEN_REFRESHED,
    failed=Action.PROVIDER_TOKEN_REFRESH_FAILED,
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
    return shared.refresh(connection, rules=RULES, force=force, origin=origin)


def refreshed_for_use(connection: Connection, *, origin: Origin, force: bool = False) -> Connection:
    """Return an active connection with an access token that lives long enough to be used.

    Raises:
        As `refresh_own`.
    """
    row, _ = shared.refresh(connection, rules=RULES, force=force, origin=origin)
    return row


def renew_ending_grants() -> int:
    """Try to renew some of those that have lived half of their life; say how many were."""
    return renew(Connection.objects.filter(status=Status.ACTIVE), refreshed_for_use)
