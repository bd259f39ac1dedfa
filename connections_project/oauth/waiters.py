"""How many threads may wait for something that other threads fetch."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Waiters:
    """Those who wait in this process, by whom they wait for.

    Args:
        most: How many may wait, all together.
        most_for_one: How many of them for the same one.
    """

    def __init__(self, *, most: int, most_for_one: int) -> None:
        self._most, self._most_for_one = most, most_for_one
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def place(self, name: str, *, alone: bool = False) -> Iterator[bool]:
        """Have a place while inside, and tell whether there was one.

        Args:
            alone: Whether nobody else may wait for the same one.
        """
        has_place = self._take(name, 1 if alone else self._most_for_one)
        try:
            yield has_place
        finally:
            if has_place:
                self._leave(name)

    def _take(self, name: str, most: int) -> bool:
        with self._lock:
            is_free = self._waiting.total() < self._most and self._waiting[name] < most
            self._waiting[name] += is_free
            return is_free

    def _leave(self, name: str) -> None:
        with self._lock:
            self._waiting[name] -= 1
