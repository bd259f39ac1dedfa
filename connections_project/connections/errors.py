"""What can go wrong with a connection, which every interface renders its own way."""

from typing import ClassVar
from uuid import UUID

# The message of a 503, in every format.
CONNECTING_LATER = "Connecting is not possible at the moment. Try again."
REFRESHING_LATER = "A refresh is under way. Try again in a few seconds."
PLATFORM_BUSY = "The platform does not answer in time at the moment. Try again later."
UNREADABLE = "The stored credentials can't be read. Ask the operator."


class ConnectionProblem(Exception):
    """The base of what a user's request may run into; `code` is its word in the audit log."""

    code: ClassVar[str]


class InvalidStateError(ConnectionProblem):
    """The state is unknown, expired, used, or not this caller's.

    Args:
        was_used: There is no such state, or not any more.
    """

    code = "invalid_state"

    def __init__(self, *, was_used: bool = False) -> None:
        super().__init__()
        self.was_used = was_used


class AuthorizationDeclinedError(ConnectionProblem):
    """The platform answered with an error instead of a code (RFC 6749, section 4.1.2.1)."""

    code = "authorization_declined"


class IssuerMismatchError(ConnectionProblem):
    """The answer comes from another authorization server than the one asked (RFC 9207)."""

    code = "issuer_mismatch"


class UnregisteredRedirectError(ConnectionProblem):
    """The redirect URI is not exactly one of the registered ones."""

    code = "unregistered_redirect_uri"


class AccountMismatchError(ConnectionProblem):
    """Another platform account came back than the one that was to be reauthorised."""

    code = "account_mismatch"


class NotReauthorisableError(ConnectionProblem):
    """It is being connected just now, or it is a connection to another platform."""

    code = "not_reauthorisable"


class ConnectFailedError(ConnectionProblem):
    """The platform refused the code, or could not be reached, or answered nonsense."""

    code = "connect_failed"


class ConnectionNotFoundError(ConnectionProblem):
    """There is none with that id, or it was deleted."""

    code = "not_found"


class NotOwnerError(ConnectionProblem):
    """It is somebody else's."""

    code = "not_owner"


class AlreadyDisconnectedError(ConnectionProblem):
    """It was disconnected, which is final."""

    code = "already_disconnected"


class NotActiveError(ConnectionProblem):
    """Its status does not allow this."""

    code = "not_active"


class NoRefreshTokenError(ConnectionProblem):
    """A refresh was forced, and the platform gave nothing to refresh with."""

    code = "no_refresh_token"


class RefreshFailedError(ConnectionProblem):
    """The platform did not refresh the tokens."""

    code = "refresh_failed"


class BusyError(ConnectionProblem):
    """Another process has been refreshing this connection for too long to be waited for."""

    code = "busy"


class SyncedRecentlyError(ConnectionProblem):
    """The last sync is too fresh.

    Args:
        retry_after: Seconds until the next one is due.
    """

    code = "synced_recently"

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class SyncFailedError(ConnectionProblem):
    """The platform did not give the data."""

    code = "sync_failed"


class AlreadyConnectedError(ConnectionProblem):
    """The account has a connection, which has taken the fresh credentials."""

    code = "already_connected"

    def __init__(self, connection_id: UUID) -> None:
        super().__init__(connection_id)
        self.connection_id = connection_id
