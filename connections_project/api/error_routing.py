"""Every error of a path in the format of that path's prefix, whatever raised it.

Views raise; they never build an error answer. What Django makes by itself (no such path, 405, a
refused host, the pages of DEBUG, an unforeseen exception) is reworded on its way out.
"""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from connections_project.api.errors import CHALLENGE, ApiError, error_of_status
from connections_project.api.problems import ProblemRenderer
from connections_project.api.throttling import set_rate_limit_headers
from connections_project.api.translation import DATABASE_AWAY, api_error_of
from connections_project.core.database import broken_rule, is_away, is_lost_race

logger = logging.getLogger(__name__)

_META_KEY = "connections_project.rendered_fault"
# Seconds, where whoever answered 503 knows nothing better: what is away comes back at any time.
RETRY_AFTER = "1"


class ErrorRenderer(Protocol):
    """An app's error format."""

    def translate(self, exc: Exception) -> ApiError | None:
        """Return the ApiError of one of the app's own exceptions; None for any other."""

    def render(self, request: HttpRequest, error: ApiError) -> HttpResponse:
        """Write an error, its own or a general one, with its status."""


_problems = ProblemRenderer()
_renderers: dict[str, ErrorRenderer] = {"/api": _problems}


def register(prefix: str, renderer: ErrorRenderer) -> None:
    """Register the error format of all paths at and below a prefix; the longest prefix wins."""
    _renderers[prefix.rstrip("/")] = renderer


def renderer_of(path: str) -> ErrorRenderer | None:
    """Find the error format of a path; None where errors stay HTML."""
    found = [prefix for prefix in _renderers if f"{path}/".startswith(f"{prefix}/")]
    return _renderers[max(found, key=len)] if found else None


def render_error(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Render an error in the format of the request's path, with the headers that belong to it."""
    response = (renderer_of(request.path_info) or _problems).render(request, error)
    for name, value in error.headers.items():
        response.headers[name] = value
    if error.status == 401:
        response.headers.setdefault("WWW-Authenticate", CHALLENGE)
    response.headers.setdefault("Cache-Control", "no-store")
    set_rate_limit_headers(request, response)
    request.META[_META_KEY] = response
    return response


def drf_exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Render what a DRF view raised; None lets Django log an unforeseen error and answer 500."""
    request: HttpRequest = context["request"]._request
    error = _translated(request, exc)
    return None if error is None else render_error(request, error)


def _translated(request: HttpRequest, exc: Exception) -> ApiError | None:
    renderer = renderer_of(request.path_info) or _problems
    error = renderer.translate(exc) or api_error_of(exc)
    if is_lost_race(exc):
        _log_lost_race(exc)
    elif error is not None and isinstance(exc, DATABASE_AWAY):
        _log_outage(exc)
    return error


def _log_outage(exc: Exception) -> None:
    logger.error("The database is unavailable", exc_info=exc)


def _log_lost_race(exc: Exception) -> None:
    # Where it is the same one again and again, it was no race, but a defect.
    logger.warning("A request lost to another at the same moment: %s", broken_rule(exc))


class ErrorRoutingMiddleware:
    """Sees to it that no error leaves a registered prefix in another format than the prefix's, and
    that each 503 says when to ask again (RFC 9110, section 10.2.3)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._answer(request)
        if response.status_code == 503:
            response.headers.setdefault("Retry-After", RETRY_AFTER)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if renderer_of(request.path_info) is None:
            return self.get_response(request)
        response = self.get_response(request)
        if response.status_code < 400 or request.META.get(_META_KEY) is response:
            return response
        return _reworded(request, response)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        """Render what a view outside DRF raised, where it means something."""
        if renderer_of(request.path_info) is None:
            return page_of(request, exc)
        error = _translated(request, exc)
        return None if error is None else render_error(request, error)


def page_of(request: HttpRequest, exc: Exception) -> HttpResponse | None:
    """Render what an exception means as a page for people; None for one that nobody foresaw."""
    if is_lost_race(exc):
        _log_lost_race(exc)
        return render(request, "409.html", status=409)
    if is_away(exc):
        _log_outage(exc)
        return render(request, "503.html", status=503)
    return None


def _reworded(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Put the prefix's format into the answer in place: its other headers (Allow, Retry-After) and
    Django's note that it was logged stay."""
    rendered = render_error(request, error_of_status(response.status_code))
    if not isinstance(response, HttpResponse):
        return rendered
    response.content = rendered.content
    response.headers["Content-Length"] = str(len(rendered.content))
    for name, value in rendered.headers.items():
        if name != "WWW-Authenticate" or name not in response.headers:
            response.headers[name] = value
    return response
