"""What can go wrong with a request, in words that every error format can render."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

# RFC 6750, section 3: the scheme is followed by at least one parameter.
CHALLENGE = "Bearer"

# The status codes that the service answers with, each with its slug and its general detail.
STATUS_CODES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        400: ("validation_failed", "The request is not valid."),
        401: ("unauthorized", "Valid credentials are required."),
        403: ("forbidden", "You are not allowed to do this."),
        404: ("not_found", "There is nothing here."),
        405: ("method_not_allowed", "This method is not allowed here."),
        408: ("request_timeout", "The request's body did not come in time."),
        409: ("conflict", "The request conflicts with the current state."),
        413: ("payload_too_large", "The body may have at most 1 MiB."),
        415: ("unsupported_media_type", "The body must be application/json."),
        429: ("rate_limit_exceeded", "Too many requests. Try again later."),
        500: ("internal_error", "The service failed unexpectedly."),
        502: ("provider_error", "The platform did not answer as it should."),
        503: ("service_unavailable", "The service is unavailable at the moment."),
    }
)


@dataclass(frozen=True)
class FieldError:
    """A field of a body or query that is wrong: its dotted path, a slug, words for a person."""

    field: str
    code: str
    message: str


@dataclass(frozen=True)
class ApiError:
    """An error answer before it has a format.

    `status` is the HTTP status (RFC 9110, section 15), `code` one of the slugs above or an app's
    own; `headers` go out as they are; `meta` is for formats that have a place for it.
    """

    status: int
    code: str
    detail: str
    fields: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)


class ApiException(Exception):
    """An error on its way out of a view; the path's own format renders it."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(f"{error.status} {error.code}")
        self.error = error


def error_of_status(status: int, detail: str | None = None) -> ApiError:
    """Return the general error of an HTTP status; an unknown one gets that of its class."""
    code, general = STATUS_CODES.get(status) or STATUS_CODES[400 if status < 500 else 500]
    return ApiError(status=status, code=code, detail=detail or general)


def unauthorized(*, error: str | None = None) -> ApiError:
    """Return the 401 with its challenge.

    Args:
        error: `invalid_token` where a token came and was refused; None where none came, since
            the challenge must not name an error then (RFC 6750, section 3).
    """
    code, detail = STATUS_CODES[401]
    challenge = CHALLENGE if error is None else f'{CHALLENGE} error="{error}"'
    return ApiError(401, code, detail, headers={"WWW-Authenticate": challenge})


def validation_error(*fields: FieldError) -> ApiError:
    """Return the 400 that names the wrong fields."""
    code, detail = STATUS_CODES[400]
    return ApiError(status=400, code=code, detail=detail, fields=fields)


def invalid_field(name: str, *, code: str, message: str) -> ApiException:
    """Return the exception for one wrong field: `raise invalid_field("page", code=…)`."""
    return ApiException(validation_error(FieldError(field=name, code=code, message=message)))


def rate_limit_exceeded(*, retry_after: int) -> ApiError:
    """Return the 429 with the seconds until one more request is allowed (RFC 6585, section 4)."""
    code, detail = STATUS_CODES[429]
    return ApiError(429, code, detail, headers={"Retry-After": str(retry_after)})


def service_busy(*, retry_after: int) -> ApiError:
    """Make the 503 that says in how many seconds to try again (RFC 9110, section 10.2.3)."""
    code, detail = STATUS_CODES[503]
    return ApiError(503, code, detail, headers={"Retry-After": str(retry_after)})
