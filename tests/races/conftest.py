"""Several clients in one moment: each in a thread and on a database connection of its own."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from django.db import connections
from rest_framework.test import APIClient

from connections_project.connections import lease, refresh
from connections_project.identity.models import User
from tests.conftest import SignIn
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request

T = TypeVar("T")

PATIENCE = 30.0  # seconds; longer than anything here takes, so that a hang is a failure


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run all calls in one moment and give what they returned, in their order."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(PATIENCE)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(lambda call: _alone(lambda: run(call)), calls))


@contextmanager
def meanwhile(call: Callable[[], T]) -> Iterator["Future[T]"]:
    """Run a call beside what stands inside."""
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(_alone, call)


def _alone(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connections.close_all()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)


@dataclass
class Gate:
    """An endpoint that answers as soon as it is released."""

    answer: Callable[[], Answer]
    is_open: threading.Event = field(default_factory=threading.Event)
    visitors: int = 0

    def __call__(self, _: Request) -> Answer:
        # Made before the wait: it is what the platform did, however late its answer comes.
        answer = self.answer()
        self.visitors += 1
        assert self.is_open.wait(PATIENCE)
        return answer

    def wait_for_visitor(self) -> None:
        wait_until(lambda: self.visitors)


@pytest.fixture
def make_clients(owner: User, sign_in: SignIn) -> Callable[[int], list[APIClient]]:
    """Return so many clients of the owner's, one for each thread."""
    return lambda size: [sign_in(owner) for _ in range(size)]


@pytest.fixture
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let more calls through than the buckets hold."""
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


@pytest.fixture
def token_gate(bank: Bank) -> Gate:
    """Hold back what the bank's token endpoint answers."""
    gate = Gate(bank.tokens)
    bank.server.on("POST", "/token", gate)
    return gate


@dataclass
class Takers:
    """Who has asked for a refresh lease, so that a leader can be held until all others follow."""

    count: int = 0

    def wait_for(self, number: int) -> None:
        wait_until(lambda: self.count >= number)


@pytest.fixture
def takers(monkeypatch: pytest.MonkeyPatch) -> Takers:
    takers, take_lease = Takers(), lease.take_lease

    def counted(connection: Any) -> Any:
        taken = take_lease(connection)
        takers.count += 1
        return taken

    monkeypatch.setattr(refresh, "take_lease", counted)
    return takers
