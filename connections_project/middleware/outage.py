"""While the database is known to be away, a request is told so before anything is begun for it.

Later it never is: what a platform has given out by then may be stored once the database is back.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from connections_project.api.error_routing import page_of
from connections_project.api.translation import DATABASE_AWAY
from connections_project.core.postgresql.outage import outage
from connections_project.core.probes import PROBES

# The names of views that ask no database.
WITHOUT_DATABASE = frozenset({"schema", "docs", "docs-page", "jwks", "brand-logo"})


class OutageMiddleware:
    """Let one request at a time look whether the database is back, and answer 503 to others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.path_info in PROBES or (match and match.url_name in WITHOUT_DATABASE):
            return None
        try:
            goes_on = outage.is_over(_ask)
        except DATABASE_AWAY as error:
            return page_of(request, error)
        return None if goes_on else render(request, "503.html", status=503)


def _ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
