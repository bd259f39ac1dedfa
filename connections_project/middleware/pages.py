"""Sessions, CSRF tokens, who is signed in, messages: what pages need, and programs don't."""

from collections.abc import Callable
from typing import Any

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.handlers.exception import convert_exception_to_response
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from connections_project.api.error_routing import page_of
from connections_project.core.text import page_spelt_out

MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
Handle = Callable[[HttpRequest], Any]
# Whoever calls these brings a token with each call, and no cookie is looked at.
PROGRAMS = ("/api/", "/scim/")


def _foreseeing(handle: Handle) -> Handle:
    """Answer what a middleware's own statement meets: a session is stored after the view."""

    def answer(request: HttpRequest) -> Any:
        try:
            return handle(request)
        except (DatabaseError, SessionInterrupted) as error:
            if (page := page_of(request, _cause(error))) is None:
                raise
            return page

    return answer


def _cause(error: BaseException) -> Exception:
    """Return what the database has said of a session that can't be stored: Django drops it."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, DatabaseError):
        found = found.__context__
    return found or SessionInterrupted()


class PageMiddleware:
    """The middleware of `MIDDLEWARE`, in its order, for all paths but the programs'."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._chain: Handle = get_response
        self._view_checks: list[Any] = []
        for name in reversed(MIDDLEWARE):
            middleware = import_string(name)(self._chain)
            self._chain = convert_exception_to_response(_foreseeing(middleware))
            if hasattr(middleware, "process_view"):
                self._view_checks.insert(0, middleware.process_view)

    def __call__(self, request: HttpRequest) -> Any:
        is_program = request.path_info.startswith(PROGRAMS)
        if is_program:
            return self._get_response(request)
        answer = self._chain(request)
        if not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html"):
            # What a platform calls something is shown as it is, be it in the admin.
            answer.content = page_spelt_out(answer.content)
        return answer

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """Refuse a forged form, as CsrfViewMiddleware does once the view is known."""
        if request.path_info.startswith(PROGRAMS):
            return None
        answers = (check(request, *view) for check in self._view_checks)
        return next((answer for answer in answers if answer is not None), None)
