"""Requests may wait for other people's servers only in bounds: `core/request_slots.py`."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from connections_project.core.request_slots import request_slots


class OutboundMiddleware:
    """Gives back, with the answer, what a request has taken of the threads for such calls."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with request_slots():
            return self.get_response(request)
