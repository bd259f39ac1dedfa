"""Pages refuse NUL before they look anything up by it: PostgreSQL stores it in no text.

The API's own parsers, which name the field at fault, do this for the paths below `/api`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from connections_project.api.error_routing import renderer_of
from connections_project.core.request_body import FORMS

NUL = "\x00"


class StorableTextMiddleware:
    """Answer 404 to a path with NUL, and 400 to a query, cookie or form with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if renderer_of(request.path_info) is None:
            _check_path_and_query(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Check a form, which can be read only now that every limit on bodies stands."""
        if renderer_of(request.path_info) is None and request.content_type in FORMS:
            _refuse_nul(_form_texts(request))


def _check_path_and_query(request: HttpRequest) -> None:
    if NUL in request.path_info:
        raise Http404
    _refuse_nul(_texts(request.GET))
    # A quoted cookie may spell it as an octal escape (RFC 2109), which is undone when it is read.
    _refuse_nul(text for pair in request.COOKIES.items() for text in pair)


def _texts(values: QueryDict) -> Iterator[str]:
    for name, texts in values.lists():
        yield from (name, *map(str, texts))


def _form_texts(request: HttpRequest) -> Iterator[str]:
    yield from _texts(request.POST)
    for name, file in request.FILES.items():
        yield from (name, getattr(file, "name", None) or "")


def _refuse_nul(texts: Iterator[str]) -> None:
    if any(NUL in text for text in texts):
        raise BadRequest("NUL characters are not allowed.")
