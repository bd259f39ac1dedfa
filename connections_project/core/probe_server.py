"""`/healthz`, `/readyz` and `/metrics` of a process that serves nothing else, such as a worker.

What such a process counts stands in a folder that it may share with no web process, as in a
container of its own. So it answers by itself, at BACKGROUND_ADDRESS, and by the same views.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from connections_project.core.probes import PROBES

logger = logging.getLogger(__name__)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Log who went away or said nothing in one line; by itself a traceback would be printed."""
        logger.warning("A probe was not answered (%s)", type(sys.exception()).__name__)


class _IPv6Server(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, *_: object) -> None:
        """Leave it to the middleware, which logs what fails."""


def start() -> _Server | None:
    """Begin to answer, in threads, where BACKGROUND_ADDRESS says so.

    An address that is taken is logged and ends nothing: the work is more than its metrics.
    """
    if settings.BACKGROUND_ADDRESS is None:
        return None
    host, port = settings.BACKGROUND_ADDRESS
    try:
        server = (_IPv6Server if ":" in host else _Server)((host, port), _Handler)
    except OSError as error:
        logger.error("Nothing answers at BACKGROUND_ADDRESS (%s)", error.strerror)  # noqa: TRY400
        return None
    server.set_app(_only_probes(WSGIHandler()))
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server


def _only_probes(application: WSGIHandler) -> Callable[..., Iterable[bytes]]:
    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PROBES:
            return application(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"Not found\n"]

    return serve
