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
    return BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


@contextmanager
def a_place(kind: str) -> Iterator[None]:
    """Work inside.

    Raises:
        NoPlaceError: There is none.
    """
    if not places(kind).acquire(blocking=False):
        raise NoPlaceError
    try:
        yield
    finally:
        places(kind).release()
