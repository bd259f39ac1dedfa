"""The RSGI application: receives requests, and has threads run the WSGI application on them."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from django.conf import settings

from connections_project.core.background_log import drain, write_in_background
from connections_project.core.drain import drain_at_sigterm, draining
from connections_project.core.open_files import allow_open_files
from connections_project.core.probes import PROBES
from connections_project.core.request_body import RECEIVED_KEY, BodyRefusedError
from connections_project.server.bodies import Budget, IncomingBody
from connections_project.server.environ import environ_of, refuse_unreadable_way
from connections_project.server.last_file import end_without_files
from connections_project.server.responses import Response
from connections_project.server.rsgi import Environ, HTTPProtocol, Scope, WSGIApplication
from connections_project.server.sockets import UNREAD_SECONDS, limit_unread_answers

logger = logging.getLogger(__name__)

PROBE_THREADS = 2  # of each probe
LARGE_BODIES = 64 * 1024 * 1024  # bytes that one process keeps of bodies that aren't small


class Application:
    """Runs a WSGI application behind RSGI.

    A request takes a thread once all of it is here, and gives it back once its answer has been
    handed to the server: neither who sends slowly nor who reads slowly keeps one.

    Args:
        threads: How many requests it answers at a time.
        body_seconds: How long a body may take to come.
        drain_seconds: How long it goes on answering at SIGTERM, while it is no longer ready.
        unread_seconds: How long a client may take nothing of an answer that waits for it.
    """

    def __init__(
        self,
        wsgi: WSGIApplication,
        *,
        threads: int,
        body_seconds: float,
        drain_seconds: float = 0,
        unread_seconds: float = UNREAD_SECONDS,
    ) -> None:
        self._wsgi = wsgi
        self._thread_number = threads
        self._drain_seconds = drain_seconds
        self._unread_seconds = unread_seconds
        self._body_seconds = body_seconds
        self._large_bodies = Budget(LARGE_BODIES)
        # They live as long as the process, and so do the connections that they keep.
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        # Hundreds of slow bodies end at once: their answers must not queue before anybody's.
        self._refusing = ThreadPoolExecutor(1, thread_name_prefix="refusal")
        # However long all others wait, and one of the probes, as for a database that hangs.
        self._probing = {
            path: ThreadPoolExecutor(PROBE_THREADS, thread_name_prefix="probe") for path in PROBES
        }

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer one request."""
        with closing(IncomingBody(scope, proto, self._large_bodies)) as incoming:
            received: bool | int = True
            try:
                refuse_unreadable_way(scope)
                body = await incoming.receive(self._body_seconds)
            except BodyRefusedError as refused:
                body, received = b"", refused.status
            await self._answer(environ_of(scope, body) | {RECEIVED_KEY: received}, proto)
            if received is not True:
                await incoming.drop()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare the ends of connections and of the process, at its start.

        Raises:
            SystemExit: It may have too few files open for its connections.
        """
        write_in_background()
        allow_open_files(self._thread_number, log_format=settings.LOG_FORMAT)
        # granian listens once the loop runs.
        loop.call_soon(limit_unread_answers, self._unread_seconds)
        end_without_files(loop, self._finish)
        drain_at_sigterm(loop, self._drain_seconds)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the threads finish what they do, at the end of the process."""
        for pool in (self._threads, self._refusing, *self._probing.values()):
            pool.shutdown()
        drain()

    def _finish(self) -> None:
        """Wait for the requests that have a thread; none gets one any more."""
        draining.set()
        self._threads.shutdown(cancel_futures=True)

    async def _answer(self, environ: Environ, proto: HTTPProtocol) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def run() -> None:
            try:
                self._run(environ, Response(proto, loop))
            except Exception:
                logger.exception("A request failed outside of Django")
                proto.response_empty(500, [])
            finally:
                loop.call_soon_threadsafe(done.set_result, None)

        try:
            self._pool_of(environ).submit(run)
        except RuntimeError:
            # Its threads are at their end, and so is the process.
            proto.response_empty(503, [("retry-after", "1")])
            return
        await done

    def _pool_of(self, environ: Environ) -> ThreadPoolExecutor:
        if environ[RECEIVED_KEY] is not True:
            return self._refusing
        return self._probing.get(environ["PATH_INFO"], self._threads)

    def _run(self, environ: Environ, response: Response) -> None:
        body = self._wsgi(environ, response.start)
        try:
            response.send(body)
        finally:
            # Here Django ends the request, in the thread whose connections it has used.
            if hasattr(body, "close"):
                body.close()
