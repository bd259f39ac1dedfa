"""One trace id for a request, its log lines, its audit events and the jobs that it causes."""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

# W3C Trace Context, section 3.2.2: lower-case hex, no id of zeros, no version ff; only versions
# later than 00 may have further fields.
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace_id>[0-9a-f]{32})"
    r"-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<further>-.*)?"
)

_trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


def new_trace_id() -> str:
    """Return a new trace id: 16 random bytes in lower-case hex (W3C Trace Context, 3.2.2.3)."""
    return secrets.token_hex(16)


def trace_id_of(traceparent: str) -> str | None:
    """Read the trace id out of a `traceparent` header; None where the header is not valid."""
    match = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if match is None or (match["version"] == "00" and match["further"]):
        return None
    return match["trace_id"]


def current_trace_id() -> str:
    """Return the trace id of what runs; outside a request the first call makes one and keeps it."""
    trace_id = _trace_id.get()
    if trace_id is None:
        trace_id = new_trace_id()
        _trace_id.set(trace_id)
    return trace_id


@contextmanager
def tracing(trace_id: str) -> Iterator[None]:
    """Set the trace id for a block, as a job does with that of the request that caused it."""
    token = _trace_id.set(trace_id)
    try:
        yield
    finally:
        _trace_id.reset(token)


class TraceMiddleware:
    """Set a trace id on each request, and show it as `X-Trace-Id`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        trace_id = trace_id_of(request.headers.get("traceparent", "")) or new_trace_id()
        # Django logs an error answer after this middleware has returned, with the request at hand.
        request.META[_META_KEY] = trace_id
        with tracing(trace_id):
            response = self.get_response(request)
        response.headers["X-Trace-Id"] = trace_id
        return response


_META_KEY = "connections_project.trace_id"


class TraceIdFilter(logging.Filter):
    """Put the trace id on every log record, as `trace_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        meta = getattr(getattr(record, "request", None), "META", {})
        record.trace_id = meta.get(_META_KEY) or current_trace_id()
        return True
