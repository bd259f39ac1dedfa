"""What the frameworks' exceptions mean as errors of the API."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    ValidationError,
)

from connections_project.api.errors import (
    ApiError,
    ApiException,
    FieldError,
    error_of_status,
    unauthorized,
    validation_error,
)
from connections_project.core.database import is_away, is_lost_race

# An answer must not grow with what was sent.
MOST_FIELD_ERRORS = 100

# The database is away, or refuses for now: locked, out of connections, shutting down.
DATABASE_AWAY = (OperationalError, InterfaceError)

_STATUSES: tuple[tuple[tuple[type[Exception], ...], int], ...] = (
    ((Http404,), 404),
    ((PermissionDenied,), 403),
    ((RequestDataTooBig,), 413),
    ((SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError), 400),
    (DATABASE_AWAY, 503),
)


def api_error_of(exc: Exception) -> ApiError | None:
    """Translate an exception that a view may end with; None for one that nobody foresaw."""
    match exc:
        case ApiException():
            return exc.error
        case ValidationError():
            found = _field_errors(exc.get_full_details(), path="")
            return validation_error(*islice(found, MOST_FIELD_ERRORS))
        case NotAuthenticated():
            return unauthorized()
        case AuthenticationFailed():
            return unauthorized(error="invalid_token")
        case APIException():
            return error_of_status(exc.status_code)
    return _error_of_django(exc)


def _error_of_django(exc: Exception) -> ApiError | None:
    if isinstance(exc, DATABASE_AWAY) and not is_away(exc):
        return None
    if isinstance(exc, IntegrityError) and is_lost_race(exc):
        # Somebody else was the first: whoever asks again is told of what there is now.
        return error_of_status(409)
    for classes, status in _STATUSES:
        if isinstance(exc, classes):
            return error_of_status(status)
    return None


def _field_errors(details: Any, path: str) -> Iterator[FieldError]:
    """Walk what a serializer says, down to each message: `schedules.3.run_at`."""
    match details:
        case {"message": str(message), "code": str(code)}:
            yield FieldError(path or "body", code, message)
        case dict():
            for name, inner in details.items():
                own = "" if name == "non_field_errors" else str(name)
                yield from _field_errors(inner, ".".join(filter(None, [path, own])))
        case list():
            for index, inner in enumerate(details):
                yield from _field_errors(inner, path if _is_leaf(inner) else f"{path}.{index}")


def _is_leaf(details: Any) -> bool:
    return isinstance(details, dict) and set(details) == {"message", "code"}
