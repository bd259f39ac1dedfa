"""A host application that is told of events: it verifies each, and shows what it has taken.

    SECRET=whsec_… python -m connections_project.sandbox.receiver --port 9001

The signatures are verified by the `standardwebhooks` package, an implementation that isn't ours.
"""

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 1 << 20
Event = dict[str, Any]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: "EventReceiver"


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, LARGEST_BODY))
        is_taken = self.server.receiver.take(dict(self.headers.items()), body)
        self.send_response(204 if is_taken else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing: what was taken is shown, and nothing else."""


@dataclass
class EventReceiver:
    """Listens at a port of loopback, between `start` and `stop`, as often as wanted.

    Args:
        secret: The endpoint's, `whsec_…`.
        show: Called with each event that is new.
    """

    port: int
    secret: str
    show: Callable[[Event], None]
    taken: list[Event] = field(default_factory=list)
    refused: int = 0
    _server: _Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self._server = self._listen()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def serve_forever(self) -> None:
        self._listen().serve_forever()

    def take(self, headers: dict[str, str], body: bytes) -> bool:
        """Take an event, each once; return whether it is genuine."""
        try:
            event = Webhook(self.secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            self.refused += 1
            return False
        event_id = {name.lower(): value for name, value in headers.items()}["webhook-id"]
        if all(one["id"] != event_id for one in self.taken):
            self.taken.append({"id": event_id, **event})
            self.show(self.taken[-1])
        return True

    def _listen(self) -> _Server:
        server = _Server(("127.0.0.1", self.port), _Handler)
        server.receiver = self
        return server


def line(event: Event) -> str:
    """Return what a terminal shows of an event."""
    connection = event["data"].get("connection") or {}
    about = " ".join(str(connection[name]) for name in ("platform", "status") if name in connection)
    return f"{event['type']} {about}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9001)
    port, secret = parser.parse_args().port, os.environ.get("SECRET", "")
    if not secret:
        sys.exit("Receiver: SECRET has no value: give what `manage.py create_event_endpoint` said")
    receiver = EventReceiver(port, secret, lambda event: _say(json.dumps(event)))
    _say(f"Receiver ready at {receiver.url}")
    receiver.serve_forever()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
