"""A log that nobody reads stops no thread: what finds no room is lost, counted and said."""

import io
import logging
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from connections_project.core import background_log
from connections_project.core.background_log import BackgroundHandler, Writer

LINE = "x" * 1000
MANY = 1000
FORKING = """
import logging, os
from connections_project.core import background_log
background_log.write_in_background()
logging.basicConfig(handlers=[background_log.BackgroundHandler()], format="%(message)s")
if not os.fork():
    logging.warning("a line of the child")
    background_log.drain()
    os._exit(0)
os.wait()
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)


@pytest.fixture
def counts() -> Counter[str]:
    return Counter()


@pytest.fixture
def log(
    pipe: tuple[int, int], counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[logging.Logger]:
    writer = Writer(pipe[1], lambda why: counts.update([why]), most=90 * len(LINE))
    monkeypatch.setattr(BackgroundHandler, "writer", writer)
    logger, handler = background_log.logger, BackgroundHandler()
    logger.addHandler(handler)
    monkeypatch.setattr(logger, "propagate", False)
    yield logger
    logger.removeHandler(handler)


def said_lost(said: str) -> int:
    """Return how many lines a log says were lost; it may say so more than once."""
    return sum(map(int, re.findall(r"^(\d+) lines of this log were lost", said, re.MULTILINE)))


def read_until(reading: int, is_all: Callable[[str], bool]) -> str:
    said, deadline = b"", time.monotonic() + 20
    while not is_all(said.decode(errors="replace")) and time.monotonic() < deadline:
        said += os.read(reading, 4096)
    return said.decode()


def test_lines_come_in_their_order(pipe: tuple[int, int], log: logging.Logger) -> None:
    for number in range(10):
        log.warning("line %d\N{SNOWMAN}", number)
    said = read_until(pipe[0], lambda said: said.count("\N{SNOWMAN}\n") == 10)
    assert said.splitlines() == [f"line {one}\N{SNOWMAN}" for one in range(10)]
    os.close(pipe[0])


def test_nobody_waits_for_the_reader(
    pipe: tuple[int, int], log: logging.Logger, counts: Counter[str]
) -> None:
    began = time.monotonic()
    for _ in range(MANY):
        log.warning(LINE)
    assert time.monotonic() - began < 5
    lost = counts["full"]
    assert 0 < lost < MANY
    said = read_until(pipe[0], lambda said: said_lost(said) == lost)
    assert said_lost(said) == lost
    assert said.count(LINE) == MANY - lost
    os.close(pipe[0])


def test_nor_does_the_end_of_the_process(log: logging.Logger, pipe: tuple[int, int]) -> None:
    for _ in range(MANY):
        log.warning(LINE)
    began = time.monotonic()
    for _ in range(3):  # Each handler is flushed at the end.
        background_log.drain()
    assert time.monotonic() - began < background_log.SECONDS_AT_THE_END + 1
    os.close(pipe[0])


def test_what_can_not_be_written_is_counted(
    log: logging.Logger, pipe: tuple[int, int], counts: Counter[str]
) -> None:
    os.close(pipe[0])
    log.warning("a line")
    background_log.drain()
    assert counts == {"unwritable": 1}


def test_a_count_that_fails_stops_nobody(pipe: tuple[int, int]) -> None:
    """Its file may be gone, or none be left to open."""

    def fail(_why: str) -> None:
        raise OSError

    writer = Writer(pipe[1], fail, most=5)
    writer.put("no room")
    os.close(pipe[0])
    writer.put("one")
    writer.drain()
    writer.put("two")
    writer.drain()
    assert not writer._waiting


def test_an_output_that_does_not_block_is_waited_for(
    log: logging.Logger, pipe: tuple[int, int], counts: Counter[str]
) -> None:
    """Whoever shares it may have made it so."""
    os.set_blocking(pipe[1], False)
    for _ in range(2):
        log.warning(LINE * 20)
        log.warning(LINE * 20)
        time.sleep(0.2)
    assert not counts
    said = read_until(pipe[0], lambda said: said.count("\n") == 4)
    assert said == f"{LINE * 20}\n" * 4
    os.close(pipe[0])


def test_who_is_interrupted_while_logging_may_log(
    pipe: tuple[int, int], counts: Counter[str]
) -> None:
    """A signal's handler runs in the midst of what its thread does."""
    writer = Writer(pipe[1], lambda why: counts.update([why]))

    def interrupted() -> None:
        with writer._lock:
            writer.put("a line\n")

    threading.Thread(target=interrupted, daemon=True).start()
    assert select.select([pipe[0]], [], [], 5)[0]
    os.close(pipe[0])


@pytest.mark.parametrize("stderr", [None, io.StringIO()], ids=["none", "without a number"])
def test_a_process_needs_no_standard_error(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(BackgroundHandler, "writer", None)
    background_log.write_in_background()
    assert BackgroundHandler.writer is None


def test_a_forked_process_logs_too() -> None:
    """So are Celery's of `--pool prefork`; a thread is not inherited."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], stderr=subprocess.PIPE, text=True, check=True, timeout=60
    )
    assert done.stderr == "a line of the child\n"
