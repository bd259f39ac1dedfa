"""Answers of a WSGI application, given to granian from the thread that made them."""

import asyncio
import errno
import os
import select
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from connections_project.server.rsgi import HTTPProtocol, ResponseHeaders

PIECE = 64 * 1024  # bytes
# Who reads nothing at all is disconnected sooner (sockets.py); of who reads slowly, the system and
# granian keep so much that it may be long until they take more.
PIECE_SECONDS = 60.0
OPENING_SECONDS = 0.002
LONGEST_OPENING_SECONDS = 20.0


class FileBody:
    """A file as an answer (`wsgi.file_wrapper` of PEP 3333); granian sends it without a thread.

    Args:
        file: What is sent, from where it stands.
        block_size: Bytes of one part where it has to be read here.
    """

    def __init__(self, file: IO[bytes], block_size: int = PIECE) -> None:
        self._file = file
        self._block_size = block_size
        # A part of a file, as for a Range, has no name of its own.
        name = getattr(file, "name", None)
        self.path = name if isinstance(name, str) else None

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(self._block_size), b"")

    def close(self) -> None:
        self._file.close()


class Response:
    """The way from a WSGI application's answer to granian.

    Args:
        proto: Where the answer goes; it is given from this thread.
        loop: Where what granian returns can be awaited.
    """

    def __init__(self, proto: HTTPProtocol, loop: asyncio.AbstractEventLoop) -> None:
        self._proto = proto
        self._loop = loop
        self._status = 500
        self._headers: ResponseHeaders = []

    def start(self, status: str, headers: ResponseHeaders, exc_info: Any = None) -> None:  # noqa: ARG002
        """Take the head (`start_response` of PEP 3333)."""
        self._status = int(status[:3])
        self._headers = headers

    def send(self, body: Iterable[bytes]) -> None:
        """Send the body: a file by its name, what streams part by part, all else at once."""
        if isinstance(body, FileBody) and body.path is not None:
            self._proto.response_file(self._status, self._headers, body.path)
        elif isinstance(body, FileBody) or getattr(body, "streaming", False):
            self._stream(body)
        else:
            self._proto.response_bytes(self._status, self._headers, b"".join(body))

    def _stream(self, body: Iterable[bytes]) -> None:
        """Send what is made part by part, no faster than it is read.

        granian's own stream would keep in memory whatever the client has not read yet. A file it
        reads as the client does, and a named pipe is one (fifo(7)).
        """
        with TemporaryDirectory(prefix="answer-") as folder:
            path = Path(folder, "pipe")
            os.mkfifo(path, 0o600)
            self._proto.response_file(self._status, self._headers, str(path))
            pipe = self._opened(path)
            try:
                for piece in _in_pieces(body):
                    _write(pipe, piece)
            except BrokenPipeError:
                # The client has gone, or wanted the head alone.
                os.close(pipe)
            except BaseException:
                mark = getattr(body, "incomplete_mark", b"")
                self._loop.call_soon_threadsafe(_end, self._loop, pipe, mark)
                raise
            else:
                os.close(pipe)

    def _opened(self, path: Path) -> int:
        """Open a pipe for writing as soon as granian reads it.

        Raises:
            OSError: It does not, for instance because the client has gone.
        """
        until = time.monotonic() + LONGEST_OPENING_SECONDS
        gone = asyncio.run_coroutine_threadsafe(_awaited(self._proto.client_disconnect), self._loop)
        try:
            while True:
                try:
                    return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                except OSError as error:
                    # Nobody reads it yet (open(2)).
                    if error.errno != errno.ENXIO or gone.done() or time.monotonic() > until:
                        raise
                time.sleep(OPENING_SECONDS)
        finally:
            gone.cancel()


def _write(pipe: int, piece: bytes) -> None:
    """Write, as fast as it is read.

    Raises:
        BrokenPipeError: Nobody reads any more.
        TimeoutError: Nothing was read for PIECE_SECONDS.
    """
    room, left = select.poll(), memoryview(piece)
    room.register(pipe, select.POLLOUT)
    while left:
        if not room.poll(PIECE_SECONDS * 1000):
            raise TimeoutError("The client reads nothing.")
        left = left[os.write(pipe, left) :]


def _end(loop: asyncio.AbstractEventLoop, pipe: int, mark: bytes) -> None:
    """Write the mark once there is room, and close: granian ends half a body as a whole one.

    That waits without a thread, until the client reads on or its connection ends.
    """

    def finish() -> None:
        loop.remove_writer(pipe)
        # Nobody reads any more.
        with suppress(BrokenPipeError):
            os.write(pipe, mark)
        os.close(pipe)

    loop.add_writer(pipe, finish)


def _in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join small parts: each piece costs calls of the system on both sides."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


async def _awaited(begin: Callable[[], Awaitable[None]]) -> None:
    await begin()
