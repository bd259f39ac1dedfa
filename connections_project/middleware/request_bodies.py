"""Bodies of requests: at most 1 MiB, those of the pages' forms 128 KiB; whole, in time, on every
path; else refused before any view.

Behind RSGI the server has received them (server/bodies.py). A WSGI server gives no more than a
stream whose reading may hang, so there few requests at a time may wait for theirs.
"""

from collections.abc import Callable
from io import BytesIO
from threading import BoundedSemaphore
from typing import IO

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from connections_project.api.error_routing import renderer_of
from connections_project.core.request_body import (
    FORMS,
    LARGEST_BODY,
    LARGEST_FORM,
    RECEIVED_KEY,
    BodyRefusedError,
    announced_length,
)

# Bodies that are on their way free one of the places sooner than that.
SECONDS_TO_FREE = 0.1


class RequestBodyMiddleware:
    """Receives each body before anything reads it, or answers why not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._receiver = Receiver(settings.WEB_THREADS)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            self._receive(request)
            _refuse_large_form(request)
        except BodyRefusedError as refused:
            return _page(request, refused.status)
        return self.get_response(request)

    def _receive(self, request: HttpRequest) -> None:
        received = request.META.get(RECEIVED_KEY, False)
        if received is True:
            return
        if received:
            raise BodyRefusedError(received)
        length = announced_length(request.META.get("CONTENT_LENGTH") or "")
        if length or _is_chunked(request):
            _replace_body(request, self._receiver.receive(request.META["wsgi.input"], length))


def _refuse_large_form(request: HttpRequest) -> None:
    if request.content_type not in FORMS or renderer_of(request.path_info) is not None:
        return
    if announced_length(request.META.get("CONTENT_LENGTH") or "") > LARGEST_FORM:
        raise BodyRefusedError(413)


class Receiver:
    """Reads the bodies of a WSGI server's requests, each in the request's own thread.

    Nothing ends a read of a body that stalls or drips but its client, so this bounds how many there
    are, and not how long they last.

    Args:
        threads: How many requests the server has under way at a time. A quarter of them may read.
    """

    def __init__(self, threads: int) -> None:
        self._room = BoundedSemaphore(max(1, threads // 4))

    def receive(self, stream: IO[bytes], length: int) -> bytes:
        """Read a body.

        Args:
            length: How many bytes were announced; 0 for a chunked body.

        Raises:
            BodyRefusedError: It is too large, or has broken off, or too many wait for theirs.
        """
        if not self._room.acquire(timeout=SECONDS_TO_FREE):
            raise BodyRefusedError(503)
        try:
            body = _read(stream, length or LARGEST_BODY + 1)
        except OSError:
            raise BodyRefusedError(400) from None
        finally:
            self._room.release()
        if len(body) > LARGEST_BODY:
            raise BodyRefusedError(413)
        if len(body) < length:
            raise BodyRefusedError(400)
        return body


def _read(stream: IO[bytes], most: int) -> bytes:
    body = b""
    while len(body) < most and (part := stream.read(most - len(body))):
        body += part
    return body


def _is_chunked(request: HttpRequest) -> bool:
    """Tell a chunked body; the server must have promised that reading it ends."""
    promised = request.META.get("wsgi.input_terminated", False)
    return bool(promised and request.headers.get("Transfer-Encoding"))


def _replace_body(request: HttpRequest, body: bytes) -> None:
    request.META["CONTENT_LENGTH"] = str(len(body))
    # Django has already decided how much it reads, and offers no public way to think again.
    request._stream = BytesIO(body)


def _page(request: HttpRequest, status: int) -> HttpResponse:
    """Answer as a page; below `/api` the errors' own middleware rewords it."""
    response = render(request, "refused_body.html", {"status": status}, status=status)
    if status == 503:
        response.headers["Retry-After"] = "1"
    return response
