"""A process without a file left ends, but not before what is under way has come to its end."""

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable

import pytest

from connections_project.server import last_file
from connections_project.server.application import Application


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Have the process only say that it has ended."""
    event = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda _status: event.set())
    monkeypatch.setattr(last_file, "INTERVAL", 0.01)
    return event


def run_without(number: int, finish: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a loop for half a second in which no file can be opened."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    async def wait() -> None:
        monkeypatch.setattr(os, "open", fail)
        last_file.end_without_files(asyncio.get_running_loop(), finish)
        await asyncio.sleep(0.5)

    asyncio.run(wait())


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_what_is_under_way_comes_to_its_end(
    number: int, ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = threading.Event()
    run_without(number, stored.wait, monkeypatch)
    assert not ended.is_set()
    stored.set()
    assert ended.wait(5)


def test_but_it_does_not_wait_without_end(
    ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_file, "FINISHING_SECONDS", 0.1)
    run_without(errno.EMFILE, threading.Event().wait, monkeypatch)
    assert ended.is_set()


def test_a_request_that_has_a_thread_is_under_way() -> None:
    served = Application(lambda _environ, _start: [], threads=1, body_seconds=1)
    begun, done = threading.Event(), threading.Event()

    def store() -> None:
        begun.set()
        time.sleep(0.2)
        done.set()

    served._threads.submit(store)
    begun.wait()
    waiting = served._threads.submit(store)
    served._finish()
    assert done.is_set()
    assert waiting.cancelled()


def test_another_error_ends_nobody(ended: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /dev/null a process would end every few seconds."""
    run_without(errno.ENOENT, lambda: None, monkeypatch)
    assert not ended.is_set()
