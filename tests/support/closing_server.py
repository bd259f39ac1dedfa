"""A platform that keeps connections open, counts them, and closes them when it is told to."""

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class ClosingServer:
    """Answers each POST by `{}`, unless `answers` is false: then it closes instead."""

    def __init__(self) -> None:
        self.answers = True
        self.connections = self.requests = 0
        self._open: list[tuple[socket.socket, threading.Thread]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

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
        while self._open:
            peer, thread = self._open.pop()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):  # Its thread may have closed it.
                peer.shutdown(socket.SHUT_RD)
            peer.close()
            # As long as its thread reads from it, the system keeps it open.
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):  # The end of the test.
            while True:
                peer, _ = self._listening.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
                thread.start()
                self._open.append((peer, thread))

    def _serve(self, peer: socket.socket) -> None:
        with suppress(OSError):  # The connection was reset.
            while received := peer.recv(65536):
                while not received.endswith(b"a=b"):
                    received += peer.recv(65536)
                self.requests += 1
                if not self.answers:
                    peer.shutdown(socket.SHUT_RDWR)
                    return
                peer.sendall(_OK)
