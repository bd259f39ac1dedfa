"""The parts of RSGI that are used here (granian's docs/spec/RSGI.md)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Protocol

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApplication = Callable[[Environ, StartResponse], Iterable[bytes]]
ResponseHeaders = list[tuple[str, str]]


class Headers(Protocol):
    """The headers of a request: lower-case names, an entry for each line."""

    def keys(self) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def get(self, key: str, default: Any = None) -> Any: ...


class Scope(Protocol):
    """What is known of a request before its body; `proto` is "http" or "ws"."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None

    @property
    def headers(self) -> Headers: ...


class HTTPProtocol(Protocol):
    """One request's body, and the way for its answer, which any thread may give."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def client_disconnect(self) -> Awaitable[None]: ...
    def response_empty(self, status: int, headers: ResponseHeaders) -> None: ...
    def response_bytes(self, status: int, headers: ResponseHeaders, body: bytes) -> None: ...
    def response_file(self, status: int, headers: ResponseHeaders, file: str) -> None: ...
