"""This app's errors as problem details: the only place where a problem gets its status."""

from collections.abc import Callable

from connections_project.api.errors import ApiError, FieldError, error_of_status, validation_error
from connections_project.api.problems import ProblemRenderer
from connections_project.connections import errors
from connections_project.core.vault import DecryptionError
from connections_project.oauth.state import StateStoreUnavailable
from connections_project.platforms.registry import (
    PlatformBusyError,
    PlatformUnavailableError,
    UnknownPlatformError,
)
from providers.statements import NotReadableError


def _bad_field(field: str, code: str, message: str) -> Callable[[Exception], ApiError]:
    return lambda _: validation_error(FieldError(field, code, message))


def _api_error(
    status: int, detail: str, code: str | None = None
) -> Callable[[Exception], ApiError]:
    general = error_of_status(status, detail)
    return lambda _: ApiError(status, code or general.code, detail)


def _busy(exc: Exception) -> ApiError:
    seconds = exc.retry_after if isinstance(exc, PlatformBusyError) else 1
    headers = {"Retry-After": str(seconds)}
    return ApiError(503, "provider_unavailable", errors.PLATFORM_BUSY, headers=headers)


def _recently(exc: Exception) -> ApiError:
    seconds = exc.retry_after if isinstance(exc, errors.SyncedRecentlyError) else 1
    detail = f"Synced less than 5 minutes ago. Try again in {seconds} s, or force it."
    return ApiError(429, "rate_limit_exceeded", detail, headers={"Retry-After": str(seconds)})


API_ERRORS: dict[type[Exception], Callable[[Exception], ApiError]] = {
    UnknownPlatformError: _api_error(404, "Provider not supported"),
    PlatformUnavailableError: _api_error(
        503, "This provider can't be used at the moment.", "provider_unavailable"
    ),
    PlatformBusyError: _busy,
    StateStoreUnavailable: _api_error(503, errors.CONNECTING_LATER),
    errors.UnregisteredRedirectError: _bad_field(
        "redirect_uri", "unregistered", "Give exactly one of the provider's registered addresses."
    ),
    errors.InvalidStateError: _api_error(
        400, "The state is unknown, expired or used. Start connecting again.", "invalid_state"
    ),
    errors.AuthorizationDeclinedError: _api_error(
        400, "The provider reports that access was not granted.", "authorization_declined"
    ),
    errors.IssuerMismatchError: _bad_field(
        "iss", "issuer_mismatch", "The answer comes from another server than the one asked."
    ),
    errors.AccountMismatchError: _bad_field(
        "connection_id", "account_mismatch", "Another account came back than the one connected."
    ),
    errors.ConnectFailedError: _api_error(502, "The provider did not complete the connection."),
    errors.ConnectionNotFoundError: _api_error(404, "Connection not found"),
    errors.NotOwnerError: _api_error(403, "This belongs to somebody else."),
    errors.AlreadyDisconnectedError: _bad_field(
        "connection_id", "disconnected", "A disconnected connection can't be reauthorised."
    ),
    errors.NotReauthorisableError: _bad_field(
        "connection_id", "not_reauthorisable", "This connection can't be reauthorised here now."
    ),
    errors.NotActiveError: _api_error(403, "The connection's status does not allow this."),
    errors.NoRefreshTokenError: _api_error(403, "The provider gave nothing to refresh with."),
    errors.RefreshFailedError: _api_error(502, "The provider did not refresh the tokens."),
    errors.SyncFailedError: _api_error(502, "The provider did not give the data."),
    NotReadableError: _api_error(502, "This provider's accounts can't be read by this service."),
    errors.SyncedRecentlyError: _recently,
    errors.BusyError: _api_error(503, errors.REFRESHING_LATER),
    DecryptionError: _api_error(503, errors.UNREADABLE),
}


class ProviderErrors(ProblemRenderer):
    """Renders what the verbs raise."""

    def translate(self, exc: Exception) -> ApiError | None:
        translation = API_ERRORS.get(type(exc))
        return translation(exc) if translation else None
