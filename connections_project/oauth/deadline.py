"""A total deadline for a call, also against a name server that hangs or a body that drips.

A read timeout starts anew with each byte. So the call runs in a thread of its own; when its time is
up, its sockets are shut down, nothing more is sent, and the caller goes on.
"""

import contextvars
import errno
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connections_project.oauth.final_response import FinalResponse

Result = TypeVar("Result")

LONGEST_IDLE_SECONDS = 4.0
# Of a body as it came over the wire: an answer with tokens is shorter.
KEPT_BYTES = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD"})
# How a connection fails that the other side has closed, also over TLS.
_CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


@dataclass(frozen=True)
class Allowance:
    """What the calls of a block may take.

    Args:
        ends_at: When all of them are over, on the monotonic clock.
        each: Seconds for one of them.
    """

    ends_at: float
    each: float


_allowance: contextvars.ContextVar[Allowance | None] = contextvars.ContextVar(
    "allowance", default=None
)


@contextmanager
def allowing(*, within: float, each: float) -> Iterator[None]:
    """Limit the calls in a block, whatever time they are given there.

    Args:
        within: Seconds for all of them.
        each: Seconds for one, so that one that hangs leaves time for the next.
    """
    token = _allowance.set(Allowance(time.monotonic() + within, each))
    try:
        yield
    finally:
        _allowance.reset(token)


def allowed(within: float) -> float:
    """Return the seconds that a call may take which is given so many."""
    allowance = _allowance.get()
    if allowance is None:
        return within
    return max(0.0, min(within, allowance.each, allowance.ends_at - time.monotonic()))


def is_out_of_files(error: BaseException | None) -> bool:
    """Whether a call failed since this process, or its host, may open no more files."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            return True
        error = error.__cause__ or error.__context__
    return False


class Guard:
    """Watches over the sockets of one call."""

    def __init__(self) -> None:
        # Whether the platform may have acted on what it received, whether the call was made on a
        # connection of an earlier one, and whether that was closed instead of an answer.
        self.sent = False
        self.is_reused = False
        self.is_unanswered = False
        # The beginning of the body as it came, in whatever content coding.
        self.wire = bytearray()
        self.response: _GuardedResponse | None = None
        self._lock = threading.Lock()
        # Its time is up: what fails from then on fails by that, and tells nothing of the platform.
        self.is_over = False
        self._handles: list[socket.socket] = []

    def watch(self, sock: socket.socket) -> None:
        """Keep a second handle on a socket; raises TimeoutError if the time is already up.

        The first handle won't do: TLS takes it over, and another thread may close it meanwhile.
        """
        with self._lock:
            if self.is_over:
                raise TimeoutError
            self._handles.append(socket.socket(fileno=os.dup(sock.fileno())))

    def may_send_again(self, *, is_safe: bool) -> bool:
        """Whether a call that failed does no harm if it is made again, on another connection.

        So it is where a connection that was kept was closed meanwhile, before all was sent, or
        without an answer to a safe call (RFC 9112, section 9.3.1; RFC 9110, section 9.2.2).
        """
        is_harmless = not self.sent or (is_safe and self.is_unanswered)
        return self.is_reused and is_harmless and not self.is_over

    def end(self) -> None:
        """Shut down what is still open; whatever the call does from now on fails."""
        with self._lock:
            self.is_over = True
            while self._handles:
                with self._handles.pop() as handle, suppress(OSError):  # The peer may be gone.
                    handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Forget the sockets, which stay open for the next call."""
        with self._lock:
            while self._handles:
                self._handles.pop().close()


_guard: contextvars.ContextVar[Guard] = contextvars.ContextVar("guard")


class Call(Generic[Result]):
    """A function that runs in a thread and has a result, an error, or no time left.

    Args:
        function: What to run; it may use the connections below.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self.guard = Guard()
        self._function = function
        self._outcome: tuple[Result] | BaseException | None = None
        self._context = contextvars.copy_context()

    def run(self, *, within: float) -> Result:
        """Wait for the result, at most `within` seconds; raises TimeoutError then."""
        thread = threading.Thread(target=self._context.run, args=(self._work,), daemon=True)
        thread.start()
        try:
            thread.join(max(within, 0))
        finally:
            outcome = self._outcome
            if outcome is None:
                self.guard.end()
        if outcome is None:
            raise TimeoutError
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome[0]

    def _work(self) -> None:
        _guard.set(self.guard)
        try:
            self._outcome = (self._function(),)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for.
            self._outcome = error
        finally:
            self.guard.release()


class _GuardedResponse(FinalResponse):
    """An answer that notes what came of its body, should its content coding not unpack."""

    def read1(self, n: int = -1) -> bytes:
        piece = super().read1(n)
        guard = _guard.get()
        guard.response = self
        guard.wire += piece[: KEPT_BYTES - len(guard.wire)]
        return piece


def read_on() -> None:
    """Read on what the call is answered whose body did not unpack, as it comes and as far as it is
    kept."""
    guard = _guard.get()
    while guard.response and len(guard.wire) < KEPT_BYTES and guard.response.read1(KEPT_BYTES):
        pass


class GuardedConnection(HTTPConnection):
    """A connection that shows each socket to the guard before anything is sent on it."""

    response_class = _GuardedResponse
    _has_served = False
    _is_handed_over = False
    _busy_at = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether it may be used again: many servers close theirs after five idle seconds."""
        return super().is_connected and time.monotonic() - self._busy_at < LONGEST_IDLE_SECONDS

    def open_socket(self) -> socket.socket:
        """Connect to where the name leads."""
        return super()._new_conn()

    def _new_conn(self) -> socket.socket:
        self._has_served = False
        sock = self.open_socket()
        try:
            _guard.get().watch(sock)
        except TimeoutError:
            sock.close()
            raise
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        guard = _guard.get()
        if self.sock is None:
            self.connect()
        else:
            guard.watch(self.sock)
        guard.is_reused, self._has_served = self._has_served, True
        self._is_handed_over = False
        # From here on the platform may have acted on what it received.
        guard.sent = True
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send a part of a request.

        Raises:
            OSError: The platform has closed the connection. If that is so with the first part, the
                head, nobody can have acted on the request; on a connection that was kept, nobody
                acts on a part of one either (RFC 9112, section 8).
        """
        guard = _guard.get()
        try:
            if guard.is_reused and not self._is_handed_over and not super().is_connected:
                raise ConnectionResetError
            super().send(data)
        except _CLOSED:
            is_begun = self._is_handed_over and not guard.is_reused
            guard.sent = guard.sent and (is_begun or guard.is_over)
            raise
        self._is_handed_over = True

    def getresponse(self) -> Any:
        try:
            response = super().getresponse()
        except _CLOSED:
            _guard.get().is_unanswered = True
            raise
        # Who answers has acted, even if not all of the request could be sent.
        _guard.get().sent = True
        self._busy_at = time.monotonic()
        return response


class GuardedTLSConnection(GuardedConnection, HTTPSConnection):
    """The same over TLS."""


class GuardedPool(HTTPConnectionPool):
    """Connections for http."""

    ConnectionCls = GuardedConnection


class GuardedTLSPool(HTTPSConnectionPool):
    """Connections for https."""

    ConnectionCls = GuardedTLSConnection
