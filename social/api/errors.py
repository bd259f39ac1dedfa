"""This app's errors in the source document's format: the only place where one gets its status."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from connections_project.api.errors import STATUS_CODES, ApiError, FieldError, validation_error
from connections_project.connections import errors
from connections_project.core.vault import DecryptionError
from connections_project.oauth.state import StateStoreUnavailable
from connections_project.platforms.publishing import InvalidPostError, PublishingUnsupportedError
from connections_project.platforms.registry import (
    PlatformBusyError,
    PlatformUnavailableError,
    UnknownPlatformError,
)
from social import errors as own

# What general errors are called here, by their slugs.
GENERAL: Mapping[str, str] = MappingProxyType(
    {
        "validation_failed": "Validation failed",
        "unauthorized": "Authentication required",
        "forbidden": "Insufficient scope",
        "not_found": "Not found",
        "method_not_allowed": "Method not allowed",
        "request_timeout": "Request timeout",
        "conflict": "Conflict",
        "payload_too_large": "Payload too large",
        "unsupported_media_type": "Unsupported media type",
        "rate_limit_exceeded": "Rate limit exceeded",
        "internal_error": "Internal server error",
        "provider_error": "Platform error",
        "service_unavailable": "Service unavailable",
    }
)
# Our own errors, each with its status and what it says to people. Those of the document's table
# stand there word for word.
OWN: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "Invalid account ID format": (400, "The id of an account is a UUID."),
        "Account already disconnected": (400, "This account is already inactive."),
        "Unknown platform": (400, "There is no such platform to connect to."),
        "Invalid state": (400, "The state is unknown, expired or used. Start connecting again."),
        "Authorization declined": (400, "The platform reports that access was not granted."),
        "Account inactive": (403, "This account is disconnected. Connect it again to use it."),
        "Reconnection required": (
            403,
            "The platform no longer accepts this account's access. Connect it again.",
        ),
        "Insufficient scope": (403, "The API key does not bear the scope that this needs."),
        "Account not found": (404, "The account doesn't exist, or you have no access to it."),
        "Publication in progress": (
            409,
            "The first call with this idempotency key is under way. Ask again in a minute.",
        ),
        "Publication outcome unknown": (
            409,
            "The first call with this idempotency key was broken off. See on the platform whether "
            "the post is there before you publish it again with another key.",
        ),
        "Idempotency key reused": (
            422,
            "This idempotency key was used for another post. Give each post a key of its own.",
        ),
        "Failed to disconnect": (500, "The account was not disconnected. Try again."),
        "Platform error": (502, "The platform did not do what it was asked for."),
        "Platform unavailable": (503, "This platform can't be used at the moment."),
    }
)


def api_error(error: str, message: str = "") -> ApiError:
    """Return the ApiError of one of this app's errors; its text serves as its code."""
    status, general = OWN[error]
    return ApiError(status, error, message or general)


def _busy(message: str) -> ApiError:
    return ApiError(503, STATUS_CODES[503][0], message)


def _wrong(field: str, code: str, message: str) -> ApiError:
    return validation_error(FieldError(field, code, message))


API_ERRORS: Mapping[type[Exception], ApiError] = MappingProxyType(
    {
        UnknownPlatformError: api_error("Unknown platform"),
        PlatformUnavailableError: api_error("Platform unavailable"),
        PublishingUnsupportedError: api_error(
            "Platform unavailable", "This platform can't be published to."
        ),
        StateStoreUnavailable: _busy(errors.CONNECTING_LATER),
        DecryptionError: _busy(errors.UNREADABLE),
        errors.BusyError: _busy(errors.REFRESHING_LATER),
        errors.UnregisteredRedirectError: _wrong(
            "redirect_uri",
            "unregistered",
            "Give exactly one of the platform's registered addresses.",
        ),
        errors.IssuerMismatchError: _wrong(
            "iss", "issuer_mismatch", "The answer comes from another server than the one asked."
        ),
        errors.InvalidStateError: api_error("Invalid state"),
        errors.AuthorizationDeclinedError: api_error("Authorization declined"),
        errors.ConnectFailedError: api_error(
            "Platform error", "The platform did not complete the connection."
        ),
        errors.ConnectionNotFoundError: api_error("Account not found"),
        errors.AlreadyDisconnectedError: api_error("Account already disconnected"),
        errors.NotActiveError: api_error("Account inactive"),
        errors.NoRefreshTokenError: api_error("Reconnection required"),
        errors.RefreshFailedError: api_error(
            "Platform error", "The platform did not refresh the account's access."
        ),
        own.InvalidAccountIdError: api_error("Invalid account ID format"),
        own.ReconnectNeededError: api_error("Reconnection required"),
        own.StillSendingError: api_error("Publication in progress"),
        own.OutcomeUnknownError: api_error("Publication outcome unknown"),
        own.KeyReusedError: api_error("Idempotency key reused"),
    }
)

# What the parts of a post are called here.
FIELDS: Mapping[str, str] = MappingProxyType({"text": "caption", "image": "imageUrl"})
NOT_PUBLISHED = "The platform did not take the post."
MAYBE_PUBLISHED = (
    "The platform's answer never came, so that the post may be there. Look before you try again."
)


class SocialErrors:
    """Renders what the verbs raise, and writes every error as `error` and `message`."""

    def translate(self, exc: Exception) -> ApiError | None:
        match exc:
            case own.PublishFailedError():
                message = MAYBE_PUBLISHED if exc.is_uncertain else NOT_PUBLISHED
                return api_error("Platform error", message)
            case PlatformBusyError():
                busy = api_error("Platform unavailable", errors.PLATFORM_BUSY)
                return replace(busy, headers={"Retry-After": str(exc.retry_after)})
            case InvalidPostError():
                found = [
                    FieldError(FIELDS.get(one.part, one.part), one.code, one.message)
                    for one in exc.problems
                ]
                return validation_error(*found)
        return API_ERRORS.get(type(exc))

    def render(self, request: HttpRequest, error: ApiError) -> HttpResponse:
        return JsonResponse(body(_named_for(request, error)), status=error.status)


def body(error: ApiError) -> dict[str, Any]:
    """Write an error as the document does; `details` names wrong fields."""
    message = OWN["Insufficient scope"][1] if error.code == "forbidden" else error.detail
    written = {"error": GENERAL.get(error.code, error.code), "message": message}
    if not error.fields:
        return written
    details = [
        {"field": one.field, "code": one.code, "message": one.message} for one in error.fields
    ]
    return {**written, "details": details}


def _named_for(request: HttpRequest, error: ApiError) -> ApiError:
    """Call a defect what the document calls it at the endpoint that disconnects."""
    ending = request.path_info.partition("/social/")[2]
    if error.status == 500 and ending.partition("/")[0] == "disconnect":
        return ApiError(500, "Failed to disconnect", OWN["Failed to disconnect"][1])
    return error
