"""What is kept of each request: its time by route and status, and one line in the log."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path
from django.utils.functional import SimpleLazyObject

from connections_project.core.instruments import REQUEST_SECONDS
from connections_project.core.probes import PROBES

logger = logging.getLogger("connections_project.access")

# Characters of a path in the log: anybody may send one of a hundred thousand.
LONGEST_PATH = 500
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ObservationMiddleware:
    """Time each request and log it: method, path without query, status, duration, principal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        route, method = _route(request), _method(request)
        REQUEST_SECONDS.labels(method, route, response.status_code).observe(seconds)
        # Probes' lines would far outnumber the others.
        if f"/{route}" not in PROBES or response.status_code >= 400:
            _log(request, method, route, response.status_code, seconds)
        return response


def _route(request: HttpRequest) -> str:
    """Return the template of the path, never the path: anybody can make up any number of those."""
    match = request.resolver_match
    return (match.route or "/") if match else "none"


def _method(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "OTHER"


def _log(request: HttpRequest, method: str, route: str, status: int, seconds: float) -> None:
    # Escaped, since a path may hold line ends, which would forge lines of the log.
    path = escape_uri_path(request.path[:LONGEST_PATH])[:LONGEST_PATH]
    milliseconds = round(seconds * 1000, 1)
    principal_id = _principal_id(request)
    fields: dict[str, Any] = {
        "method": method,
        "path": path,
        "route": route,
        "status": status,
        "duration_ms": milliseconds,
        "principal_id": principal_id,
    }
    arguments = (method, path, status, milliseconds, principal_id or "nobody")
    logger.info("%s %s %d %.1f ms %s", *arguments, extra={"fields": fields})


def _principal_id(request: HttpRequest) -> str | None:
    """Return who was signed in, if that was looked up: to do so now would cost a query."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    key = getattr(user, "pk", None)
    return str(key) if key else None
