"""Bodies of requests, received on the event loop: whole, in time, and within bounds of memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from connections_project.core.request_body import LARGEST_BODY, BodyRefusedError, announced_length
from connections_project.server.rsgi import HTTPProtocol, Scope

SMALL_BODY = 64 * 1024  # bytes
# How long the rest of a refused body is read and dropped. A connection that is closed while its
# client still sends is reset, and the client may never see the answer (RFC 9112, section 9.6).
LINGER_SECONDS = 2.0


class Budget:
    """The memory of one process for bodies that aren't small.

    Small ones are bounded by the number of connections, and always welcome: so those who send
    large bodies slowly shut out one another and nobody else.

    Args:
        most: Bytes in all.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Take so many bytes more.

        Raises:
            BodyRefusedError: 503, there is no room at the moment.
        """
        if size > self._left:
            raise BodyRefusedError(503)
        self._left -= size

    def give_back(self, size: int) -> None:
        self._left += size


class IncomingBody:
    """One request's body. It holds a share of the budget until it is closed.

    Args:
        scope: The request's head.
        proto: Where the body comes from.
        budget: What large bodies share.
    """

    def __init__(self, scope: Scope, proto: HTTPProtocol, budget: Budget) -> None:
        self._scope = scope
        self._proto = proto
        self._budget = budget
        # granian lets a body be asked for once; what is left of it goes on from here.
        self._stream = self._parts()
        self._taken = 0

    async def receive(self, seconds: float) -> bytes:
        """Return the whole body.

        Args:
            seconds: How long it may take, from its first byte to its last.

        Raises:
            BodyRefusedError: It is too large, too late, or not what was announced.
        """
        is_chunked = self._scope.headers.get("transfer-encoding") is not None
        announced = self._scope.headers.get("content-length")
        length = announced_length(announced or "")
        if not (length or is_chunked or self._may_come_unannounced(announced)):
            return b""
        try:
            async with asyncio.timeout(seconds):
                body, endings = await self._collect()
        except TimeoutError:
            raise BodyRefusedError(408) from None
        if announced is not None and len(body) != length:
            raise BodyRefusedError(400)
        # granian gives an empty part for the end, and one more for a chunk that is malformed or
        # missing: without this a body that broke off would pass for a whole one.
        if is_chunked and endings != 1:
            raise BodyRefusedError(400)
        return body

    async def drop(self) -> None:
        """Read what is left of a refused body, for a while, so that its sender sees the answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                async for _ in self._stream:
                    pass

    def close(self) -> None:
        self._budget.give_back(self._taken)
        self._taken = 0

    def _may_come_unannounced(self, announced: str | None) -> bool:
        """Whether there may be a body without a length: in HTTP/2 (RFC 9113, section 8.1)."""
        return announced is None and not self._scope.http_version.startswith("1")

    async def _collect(self) -> tuple[bytes, int]:
        parts: list[bytes] = []
        size = endings = 0
        async for part in self._stream:
            size += len(part)
            self._account_for(size)
            parts.append(part)
            endings += not part
        return b"".join(parts), endings

    def _account_for(self, size: int) -> None:
        if size > LARGEST_BODY:
            raise BodyRefusedError(413)
        if size > SMALL_BODY:
            self._budget.take(size - self._taken)
            self._taken = size

    async def _parts(self) -> AsyncIterator[bytes]:
        async for part in self._proto:
            yield part
