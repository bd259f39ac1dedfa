"""This app's errors in the source document's format: the only place where one gets its status."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from channels import errors as own
from connections_project.api.errors import STATUS_CODES, ApiError, FieldError, validation_error
from connections_project.connections import errors
from connections_project.core.vault import DecryptionError
from connections_project.oauth.state import StateStoreUnavailable
from connections_project.platforms.publishing import InvalidPostError
from connections_project.platforms.registry import (
    PlatformBusyError,
    PlatformUnavailableError,
    UnknownPlatformError,
)

# Our own codes (docs/api.md, "Channels"), each with its status and what it says to people.
CODES: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "INVALID_CONNECTION_ID": (400, "The id of a channel connection is a UUID."),
        "INVALID_SCHEDULE_ID": (400, "The id of a schedule is a UUID."),
        "INVALID_STATE": (400, "The state is unknown, expired or used. Start connecting again."),
        "AUTHORIZATION_DECLINED": (400, "The channel reports that access was not granted."),
        "CONNECTION_HAS_ACTIVE_SCHEDULES": (
            400,
            "Cannot disconnect channel with active schedules. Please cancel or complete 3 pending "
            "schedules first.",
        ),
        "INVALID_SCHEDULE_TIME": (
            400,
            "Give a time to come, in UTC with a date, such as 2030-12-01T10:00:00Z.",
        ),
        "SCHEDULE_CANNOT_BE_CANCELLED": (
            400,
            "Only a pending or queued schedule can be cancelled.",
        ),
        "SCHEDULE_ALREADY_CANCELLED": (400, "The schedule was cancelled before."),
        "CONNECTION_INACTIVE": (403, "The channel is not connected. Connect it again."),
        "NO_REFRESH_TOKEN": (403, "The channel gave nothing to refresh with."),
        "SERVICE_ACCOUNT_NOT_ALLOWED": (
            403,
            "Service accounts cannot disconnect user connections.",
        ),
        "CONNECTION_ACCESS_DENIED": (403, "This channel connection belongs to somebody else."),
        "SCHEDULE_ACCESS_DENIED": (403, "This schedule belongs to somebody else."),
        "CHANNEL_NOT_FOUND": (404, "Channel not supported"),
        "CONNECTION_NOT_FOUND": (404, "Channel connection not found"),
        "SCHEDULE_NOT_FOUND": (404, "Schedule not found"),
        "ALREADY_CONNECTED": (
            409,
            "This account is connected already. Its connection has taken the fresh credentials.",
        ),
        "OAUTH_FAILED": (502, "The channel did not complete the connection."),
        "REFRESH_FAILED": (502, "The channel did not refresh the tokens."),
        "CHANNEL_UNAVAILABLE": (503, "This channel can't be used at the moment."),
    }
)


# What the parts of a post are called here.
FIELDS: Mapping[str, str] = MappingProxyType({"text": "content", "image": "image_url"})


def code_of(slug: str) -> str:
    """Return a general error's slug in this format."""
    return "AUTHENTICATION_REQUIRED" if slug == "unauthorized" else slug.upper()


def api_error(code: str, *fields: FieldError, **more: Any) -> ApiError:
    """Return the ApiError of one of this app's codes."""
    status, description = CODES[code]
    return ApiError(status, code, description, fields, **more)


def _general(status: int, description: str) -> ApiError:
    return ApiError(status, STATUS_CODES[status][0], description)


def _wrong(name: str, code: str, message: str) -> ApiError:
    status, (slug, description) = 400, STATUS_CODES[400]
    return ApiError(status, slug, description, (FieldError(name, code, message),))


def _invalid_post(problem: InvalidPostError) -> ApiError:
    found = [
        FieldError(FIELDS.get(one.part, one.part), one.code, one.message)
        for one in problem.problems
    ]
    return validation_error(*found)


def _active_schedules(problem: own.ActiveSchedulesError) -> ApiError:
    schedules = "schedule" if problem.count == 1 else "schedules"
    return ApiError(
        400,
        "CONNECTION_HAS_ACTIVE_SCHEDULES",
        "Cannot disconnect channel with active schedules. Please cancel or complete "
        f"{problem.count} pending {schedules} first.",
        meta={
            "active_schedules_count": problem.count,
            "schedule_ids": [str(each) for each in problem.schedule_ids],
        },
    )


def _busy(problem: PlatformBusyError) -> ApiError:
    headers = {"Retry-After": str(problem.retry_after)}
    return ApiError(503, "CHANNEL_UNAVAILABLE", errors.PLATFORM_BUSY, headers=headers)


def _already_connected(problem: errors.AlreadyConnectedError) -> ApiError:
    return api_error("ALREADY_CONNECTED", meta={"id": str(problem.connection_id)})


API_ERRORS: Mapping[type[Exception], ApiError] = MappingProxyType(
    {
        UnknownPlatformError: api_error("CHANNEL_NOT_FOUND"),
        PlatformUnavailableError: api_error("CHANNEL_UNAVAILABLE"),
        StateStoreUnavailable: _general(503, errors.CONNECTING_LATER),
        DecryptionError: _general(503, errors.UNREADABLE),
        errors.BusyError: _general(503, errors.REFRESHING_LATER),
        errors.UnregisteredRedirectError: _wrong(
            "redirect_uri",
            "unregistered",
            "Give exactly one of the channel's registered addresses.",
        ),
        errors.IssuerMismatchError: _wrong(
            "iss", "issuer_mismatch", "The answer comes from another server than the one asked."
        ),
        errors.InvalidStateError: api_error("INVALID_STATE"),
        errors.AuthorizationDeclinedError: api_error("AUTHORIZATION_DECLINED"),
        errors.ConnectFailedError: api_error("OAUTH_FAILED"),
        errors.ConnectionNotFoundError: api_error("CONNECTION_NOT_FOUND"),
        errors.NotOwnerError: api_error("CONNECTION_ACCESS_DENIED"),
        errors.NotActiveError: api_error("CONNECTION_INACTIVE"),
        errors.NoRefreshTokenError: api_error("NO_REFRESH_TOKEN"),
        errors.RefreshFailedError: api_error("REFRESH_FAILED"),
        own.ServiceAccountError: api_error("SERVICE_ACCOUNT_NOT_ALLOWED"),
        own.InactiveConnectionError: ApiError(
            400, "CONNECTION_INACTIVE", CODES["CONNECTION_INACTIVE"][1]
        ),
        own.ScheduleTimeError: api_error(
            "INVALID_SCHEDULE_TIME",
            FieldError("run_at", "invalid", CODES["INVALID_SCHEDULE_TIME"][1]),
        ),
        own.ScheduleNotFoundError: api_error("SCHEDULE_NOT_FOUND"),
        own.ScheduleNotOwnerError: api_error("SCHEDULE_ACCESS_DENIED"),
        own.ScheduleCancelledError: api_error("SCHEDULE_ALREADY_CANCELLED"),
        own.ScheduleNotCancellableError: api_error("SCHEDULE_CANNOT_BE_CANCELLED"),
    }
)


class ChannelErrors:
    """Renders what the verbs raise, and writes every error as an item of `errors`."""

    def translate(self, exc: Exception) -> ApiError | None:
        match exc:
            case InvalidPostError():
                return _invalid_post(exc)
            case own.PublishingUnsupportedError():
                return _wrong("channel_connection_id", exc.code, exc.reason)
            case own.ActiveSchedulesError():
                return _active_schedules(exc)
            case PlatformBusyError():
                return _busy(exc)
            case errors.AlreadyConnectedError():
                return _already_connected(exc)
        return API_ERRORS.get(type(exc))

    def render(self, request: HttpRequest, error: ApiError) -> HttpResponse:  # noqa: ARG002
        return JsonResponse({"errors": [rendered(error)]}, status=error.status)


def rendered(error: ApiError) -> dict[str, Any]:
    """Write an error as the document does; `meta` is there where it has something to say."""
    written: dict[str, Any] = {
        "error_code": code_of(error.code),
        "error_description": error.detail,
        "error_severity": "error",
    }
    meta = {**error.meta, **_named(error.fields)}
    return {**written, "meta": meta} if meta else written


def _named(fields: tuple[FieldError, ...]) -> dict[str, Any]:
    if not fields:
        return {}
    return {
        "fields": [{"field": one.field, "code": one.code, "message": one.message} for one in fields]
    }
