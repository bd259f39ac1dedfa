"""A platform that keeps connections open, counts them, and closes them when it is told to."""

import re
import socket
import ssl
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class ClosingServer:
    """Answers each request by `{}`, unless `answers` is false: then it closes instead.

    Args:
        tls: The server's side of TLS, for https.

    Attributes:
        requests: How many have come whole.
        answer: What the next one is answered, once.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.answers, self.answer = True, _OK
        self._tls = tls
        self.connections = self.requests = 0
        self._open: list[tuple[socket.socket, threading.Thread]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' * bool(tls)}://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An accept that waits is woken by this, and by close alone it is not.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.reset_all()

    def reset_all(self) -> None:
        """Close all connections by a reset, as a host does that knows nothing of them any more."""
        self._close_all(socket.SHUT_RD, linger=struct.pack("ii", 1, 0))

    def close_all(self) -> None:
        """Close all connections as a server does that has waited for long enough."""
        self._close_all(socket.SHUT_RDWR, linger=struct.pack("ii", 0, 0))

    def _close_all(self, how: int, *, linger: bytes) -> None:
        while self._open:
            peer, thread = self._open.pop()
            with suppress(OSError):  # Its thread may have closed it.
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                peer.shutdown(how)
            # As long as its thread reads from it, the system keeps it open.
            thread.join()
            peer.close()

    def _accept(self) -> None:
        with suppress(OSError):  # The end of the test.
            while True:
                peer, _ = self._listening.accept()
                if self._tls:
                    peer = self._tls.wrap_socket(peer, server_side=True)
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
                self._open.append((peer, thread))
                thread.start()

    def _serve(self, peer: socket.socket) -> None:
        with suppress(OSError):  # The connection was reset.
            while _receive(peer):
                self.requests += 1
                if not self.answers:
                    peer.shutdown(socket.SHUT_RDWR)
                    return
                answer, self.answer = self.answer, _OK
                peer.sendall(answer)
                if answer != _OK and _receive(peer):
                    # What was announced comes late: behind the next request.
                    peer.sendall(b"{}" + _OK)


def _receive(peer: socket.socket) -> bool:
    """Receive a request; give whether it came whole."""
    received = b""
    while not (head := re.match(rb"(?s)(.*?)\r\n\r\n", received)):
        if not (piece := peer.recv(65536)):
            return False
        received += piece
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head[1])
    missing = int(length[1]) - (len(received) - head.end()) if length else 0
    while missing > 0:
        if not (piece := peer.recv(missing)):
            return False
        missing -= len(piece)
    return True
