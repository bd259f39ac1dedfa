"""Answers read up to the final one, with as many headers as platforms send."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import IO

from connections_project.oauth.json_text import MOST_ANSWERED_VALUES, load_json

# Interim answers before the final one, and lines of headers of each of them.
MOST_INTERIM = 100
MOST_HEADERS = 1_000
# Answers that end with their head (RFC 9112, section 6.3).
WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
# What http.client takes for one line.
LONGEST_LINE = 65_536
# A version that `http.client` doesn't take: what it speaks of may hold tokens all the same.
_OTHER_VERSION = re.compile(rb"^HTTP/(?!1\.|0\.9)\S*")


class FinalResponse(HTTPResponse):
    """An answer that may come after interim ones (RFC 9110, section 15.2).

    `http.client` passes by those of status 100 alone: of others it would take the first for the
    answer, and what follows for the answer to the next request.
    """

    def begin(self) -> None:
        """Read as far as the body.

        Raises:
            HTTPException: What came is no HTTP, or has too many headers or interim answers.
        """
        for _ in range(MOST_INTERIM + 1):
            self._begin()
            if not 100 <= self.status < 200 or self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                self._read_transfer_codings()
                if self._is_of_unknown_length():
                    self._read_until_closed()
                elif self.status in WITHOUT_BODY and self.headers.get("Content-Length", "0") != "0":
                    # It is not read here: it would be the beginning of the next answer.
                    self.will_close = True
                elif self.length:
                    self._take_what_came_beyond(self.length)
                return
            self.headers = self.msg = None  # type: ignore[assignment]
        raise HTTPException("too many interim answers")

    def _begin(self) -> None:
        stream = self.fp
        self.fp = _Head(stream)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            # Where it is no HTTP, it is closed and gone by now.
            if self.fp:
                self.fp = stream

    def _read_transfer_codings(self) -> None:
        """Have what a body was packed by on its way be content codings, which urllib3 undoes.

        `http.client` knows `chunked` alone (RFC 9112, section 6.1).
        """
        said = ",".join(self.headers.get_all("Transfer-Encoding", ()))
        codings = [coding.strip().lower() for coding in said.split(",")]
        if self.status in WITHOUT_BODY or self._method == "HEAD":  # type: ignore[attr-defined]
            return
        if codings[-1] == "chunked":
            self.chunked, self.chunk_left, self.length = True, None, None
        for coding in codings:
            if coding not in {"", "chunked", "identity"}:
                self.headers.add_header("Content-Encoding", coding)

    def _is_of_unknown_length(self) -> bool:
        """Whether there are two lengths, or chunks are said to come and none do.

        `http.client` and urllib3 would drop what comes, as RFC 9112, section 6.3, has it of the
        first; but a body may hold tokens.
        """
        if self.chunked:
            return self.length is None and self._has_no_chunks()
        lengths = ",".join(self.headers.get_all("Content-Length", ())).split(",")
        return self.length != 0 and len({length.strip() for length in lengths}) > 1

    def _has_no_chunks(self) -> bool:
        first_line = self.fp.peek(1).partition(b"\n")[0]
        try:
            int(first_line.partition(b";")[0] or b"0", 16)
        except ValueError:
            return True
        return False

    def _take_what_came_beyond(self, length: int) -> None:
        """Have a body that is longer than it is said to be be as long as what has come of it.

        No second request was sent that the rest could answer; but it may be the end of a token, as
        where characters were counted for bytes. More of it is not waited for: nobody says when it
        would end. Beyond JSON that is whole there is nothing of it: the rest would make it none.
        """
        come = self.fp.peek(length + 1)
        beyond = come[length:].strip()
        if beyond and not beyond.startswith(b"HTTP/") and not _is_json(come[:length]):
            self.length, self.will_close = len(come), True
            del self.headers["Content-Length"]
            self.headers["Content-Length"] = str(len(come))

    def _read_until_closed(self) -> None:
        del self.headers["Content-Length"], self.headers["Transfer-Encoding"]
        self.chunked, self.length, self.will_close = False, None, True


def _is_json(body: bytes) -> bool:
    try:
        load_json(body, most=MOST_ANSWERED_VALUES)
    except (ValueError, RecursionError):
        return False
    return True


class _Head:
    """The head of an answer, line by line, of whose headers many are taken for one line.

    `http.client` refuses more than 100 lines, of whatever length.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines = self._read()

    def readline(self, _limit: int) -> bytes:
        return next(self._lines)

    def close(self) -> None:
        self._stream.close()

    def _read(self) -> Iterator[bytes]:
        while True:
            yield _OTHER_VERSION.sub(b"HTTP/1.1", self._stream.readline(LONGEST_LINE + 1))
            yield from self._headers()

    def _headers(self) -> Iterator[bytes]:
        together = bytearray()
        for _ in range(MOST_HEADERS):
            line = self._stream.readline(LONGEST_LINE + 1)
            is_last = line in {b"\r\n", b"\n", b""}
            if together and (is_last or len(together) + len(line) > LONGEST_LINE):
                yield bytes(together)
                together.clear()
            if is_last:
                yield line
                return
            together += line
        raise HTTPException("too many headers")
