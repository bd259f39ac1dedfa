"""Doing something while the service waits for a platform's answer."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def with_own_connection(work: Callable[[], T]) -> T:
    """Run in a platform's thread, on a database connection that doesn't outlive the work.

    The test must be transactional: the thread sees what is committed, and only that.
    """
    try:
        return work()
    finally:
        connections.close_all()
