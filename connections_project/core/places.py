"""Places for costly work: of each kind a quarter of a web process's threads may do it at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings


class NoPlaceError(Exception):
    """As many as may do this already."""


@cache
def places(kind: str) -> BoundedSemaphore:  # noqa: ARG001 (Each kind has its own.)
    """Return what all threads of this process share."""
    return BoundedSemaphore(_quarter())


@cache
def _waiters(kind: str) -> BoundedSemaphore:  # noqa: ARG001
    """Return what those share who wait for a place: another thread is left for others."""
    others = settings.WEB_THREADS - _quarter() - 1
    return BoundedSemaphore(max(0, min(_quarter(), others)))


def _quarter() -> int:
    return max(1, settings.WEB_THREADS // 4)


@contextmanager
def a_place(kind: str, *, within: float = 0) -> Iterator[None]:
    """Work inside.

    Args:
        within: Seconds to wait for a place; as many as have places may wait at a time.

    Raises:
        NoPlaceError: There is none.
    """
    if not _taken(kind, within):
        raise NoPlaceError
    try:
        yield
    finally:
        places(kind).release()


def _taken(kind: str, within: float) -> bool:
    if places(kind).acquire(blocking=False):
        return True
    if not within or not _waiters(kind).acquire(blocking=False):
        return False
    try:
        return places(kind).acquire(timeout=within)
    finally:
        _waiters(kind).release()
