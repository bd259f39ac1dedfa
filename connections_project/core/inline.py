"""The time that one call has for work after its commits, where no worker does it.

On the embedded default a request tries at once what it has caused, for at most five seconds in all:
first what is told to platforms, then what waits for it (`last`).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction

INLINE_SECONDS = 5.0
# Less than this is not worth a try: it would count as one, and be put off for longer.
LEAST_SECONDS = 0.1

Work = Callable[[], object]

# What the call under way has left of its time; None outside of requests and passes.
_left: ContextVar[float | None] = ContextVar("inline_seconds_left", default=None)
# What is to be done last, while there is something that goes first.
_last: ContextVar[list[Work] | None] = ContextVar("inline_work_last", default=None)


@contextmanager
def spending() -> Iterator[float]:
    """Give the end of this call's time, on the monotonic clock; what is spent is gone."""
    left = _left.get()
    ends_at = time.monotonic() + (INLINE_SECONDS if left is None else left)
    try:
        yield ends_at
    finally:
        if left is not None:
            _left.set(max(ends_at - time.monotonic(), 0))


@contextmanager
def inline_pass() -> Iterator[None]:
    """Let all that is done inside share one call's time, and do at its end what goes last."""
    if _last.get() is not None:
        yield
        return
    left, last = _left.get(), list[Work]()
    token = _last.set(last)
    if left is None:
        _left.set(INLINE_SECONDS)
    try:
        yield
    finally:
        _last.reset(token)
        for work in last:
            work()
        if left is None:
            _left.set(None)


class LastAfterCommit:
    """Work that is done after a commit, behind everything else that is."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def __call__(self) -> None:
        last = _last.get()
        if last is None:
            self.work()
        elif self.work not in last:
            last.append(self.work)


def move_last_to_end() -> None:
    """Have what goes last after this transaction's commit stay behind what was added since."""
    hooks = transaction.get_connection().run_on_commit
    hooks.sort(key=lambda hook: isinstance(hook[1], LastAfterCommit))


def start_of_request(**_: Any) -> None:
    """Give the request that begins its seconds; a receiver of `request_started`."""
    _left.set(INLINE_SECONDS)


def end_of_request(**_: Any) -> None:
    """Receive `request_finished`."""
    _left.set(None)
