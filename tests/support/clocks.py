"""Hosts whose clocks are wrong, on one database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import time_machine

from connections_project.core.clock import database_clock


def read_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the database's clock be known, so that it goes on whatever the host's shows."""
    monkeypatch.setattr(database_clock, "_lead", time.time() - time.monotonic())
    monkeypatch.setattr(database_clock, "is_due", lambda: False)


@contextmanager
def host_ahead(seconds: float) -> Iterator[None]:
    """Be a host whose clock is ahead; negative for behind."""
    with time_machine.travel(time.time() + seconds):
        yield
