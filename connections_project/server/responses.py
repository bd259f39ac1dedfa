"""Answers of a WSGI application, given to granian from the thread that made them."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from typing import IO, Any

from connections_project.server.rsgi import HTTPProtocol, ResponseHeaders

PIECE = 64 * 1024  # bytes
PIECE_SECONDS = 20.0


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
        transport = self._proto.response_stream(self._status, self._headers)
        for piece in _in_pieces(body):
            sending = _awaited(transport.send_bytes(piece))
            # It raises once the client has gone, which ends the stream; and where the loop has
            # stopped meanwhile, nobody would ever answer.
            asyncio.run_coroutine_threadsafe(sending, self._loop).result(timeout=PIECE_SECONDS)


def _in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join small parts: each piece costs a way to the event loop and back."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


async def _awaited(sending: Awaitable[None]) -> None:
    await sending
