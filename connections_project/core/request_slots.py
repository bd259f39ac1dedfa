"""How many threads of a web process may wait for other people's servers, each and all together.

A request takes a slot before its first call to a platform, and has it until it is answered; one
that gets none is refused at once. So a platform that hangs holds up a share of the threads and
never those that answer everything else. Workers have bounded threads of their own.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings

# One server alone gets no more than this part of what all together may take.
PART_OF_ONE = 0.75


class Slots:
    """The slots of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def move(self, held: str | None, wanted: str, *, most: int) -> bool:
        """Take a slot for a server, in place of one that the request holds for another.

        Args:
            held: The server whose slot is given up, if the request holds one.
            wanted: The server that is to be called.
            most: How many may wait for this server.

        Returns:
            Whether there was one left; if not, nothing changes.
        """
        with self._lock:
            others = self._taken.total() - (held is not None)
            if others >= most_together() or self._taken[wanted] >= most:
                return False
            self._free(held)
            self._taken[wanted] += 1
            return True

    def free(self, held: str | None) -> None:
        with self._lock:
            self._free(held)

    def _free(self, held: str | None) -> None:
        if held is not None:
            self._taken[held] -= 1
            if not self._taken[held]:
                del self._taken[held]


@dataclass(eq=False)
class RequestSlot:
    """What one request holds; a thread waits for one server at a time.

    Args:
        server: The slug of the platform that it may call; None as long as it calls nobody.
        is_probe: Whether the server was in trouble, so that a success is news.
    """

    slots: ClassVar[Slots] = Slots()
    server: str | None = None
    is_probe: bool = False

    def take(self, server: str, *, is_probe: bool = False) -> bool:
        """Take a slot; a server in trouble is asked by one request at a time."""
        taken = self.slots.move(self.server, server, most=1 if is_probe else most_for_one())
        if taken:
            self.server, self.is_probe = server, is_probe
        return taken


_slot: ContextVar[RequestSlot | None] = ContextVar("outbound_slot", default=None)


def most_together() -> int:
    """Return how many requests of this process may wait for other servers."""
    return max(1, int(settings.WEB_THREADS * settings.OUTBOUND_SHARE))


def most_for_one() -> int:
    """Return how many requests of this process may wait for one server."""
    return max(1, int(most_together() * PART_OF_ONE))


def request_slot() -> RequestSlot | None:
    """Return what the request under way holds; None outside of requests."""
    return _slot.get()


@contextmanager
def request_slots() -> Iterator[None]:
    """Answer a request inside; what it has taken is free afterwards."""
    slot = RequestSlot()
    token = _slot.set(slot)
    try:
        yield
    finally:
        _slot.reset(token)
        slot.slots.free(slot.server)
