"""The log of a process that answers or works: whoever reads it slowly stops nobody.

A pipe takes 64 KiB, and then its writer waits until somebody reads. So lines go to a queue, and one
thread waits. Commands write by themselves: nothing of theirs may be lost.
"""

import io
import logging
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

logger = logging.getLogger(__name__)

MOST_WAITING = 4 * 1024 * 1024  # characters
SECONDS_AT_THE_END = 2.0


class Writer:
    """A thread that writes lines, and loses those for which there is no room.

    Args:
        file: Where to; its number, since a stream's lock could not be taken at the process's end.
        count: Is told why one was lost: "full" or "unwritable".
        most: How many characters may wait.
    """

    def __init__(self, file: int, count: Callable[[str], None], most: int = MOST_WAITING) -> None:
        self._file, self._count, self._most = file, count, most
        self._lines: SimpleQueue[str] = SimpleQueue()
        # A signal's handler may log while its thread does.
        self._lock = threading.RLock()
        self._waiting = self._lost = 0
        self._is_stalled = False
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def anew(self) -> "Writer":
        """Return another one, with a thread of its own; what waits is left to this one."""
        return Writer(self._file, self._count, self._most)

    def put(self, line: str) -> None:
        """Have a line written, or lose it; never wait."""
        length = len(line)  # Not below: between reading a sum and storing it no handler may run.
        with self._lock:
            is_room = self._waiting + length <= self._most
            if is_room:
                self._waiting += length
        if is_room:
            self._lines.put(line)
        else:
            self._lose("full")

    def drain(self, seconds: float = SECONDS_AT_THE_END) -> None:
        """Wait until all is written, or this is over; behind a wait in vain the next has none."""
        deadline = time.monotonic() + (0 if self._is_stalled else seconds)
        while self._waiting and time.monotonic() < deadline:
            time.sleep(0.01)
        self._is_stalled = self._waiting > 0

    def _run(self) -> None:
        while True:
            line = self._lines.get()
            is_written = self._write(line)
            with self._lock:
                self._waiting -= len(line)
            # Said behind what had come before, and never of an output that takes nothing.
            if is_written and self._lost and not self._waiting:
                with self._lock:
                    lost, self._lost = self._lost, 0
                logger.warning("%d lines of this log were lost: nobody read it in time", lost)

    def _write(self, line: str) -> bool:
        left = line.encode("utf-8", "backslashreplace")
        try:
            while left:
                left = left[self._write_some(left) :]
        except OSError:
            self._lose("unwritable")
        return not left

    def _write_some(self, text: bytes) -> int:
        try:
            return os.write(self._file, text)
        except BlockingIOError:  # Whoever shares the output may have made it non-blocking.
            select.select([], [self._file], [])
            return 0

    def _lose(self, reason: str) -> None:
        with self._lock:
            self._lost += 1
        # A count that fails, as without a file left to open, must stop neither writer nor caller.
        with suppress(Exception):
            self._count(reason)


class BackgroundHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error: by itself until `write_in_background` was called."""

    writer: Writer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.writer is None:
            super().emit(record)
            return
        try:
            self.writer.put(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 - as logging's own handlers do it.
            self.handleError(record)

    def flush(self) -> None:
        """Wait for the writer, but not for long: logging calls this at the process's end."""
        if self.writer is None:
            super().flush()
        else:
            self.writer.drain()


class GranianHandler(BackgroundHandler):
    """Writes in the background also in granian's own process.

    That one starts workers and ends them, and says so before it does. It has no metrics.
    """

    def __init__(self) -> None:
        super().__init__()
        if self.writer is None:
            _write_in_background(lambda _: None)


def write_in_background() -> None:
    """Have a thread of this process write what it logs from now on."""
    from connections_project.core.instruments import LOST_LOG_LINES  # granian is before settings.

    _write_in_background(lambda why: LOST_LOG_LINES.labels(why).inc())


def _write_in_background(count: Callable[[str], None]) -> None:
    # A process may be started without standard error, or with one that has no number.
    with suppress(AttributeError, io.UnsupportedOperation):
        BackgroundHandler.writer = Writer(sys.stderr.fileno(), count)


def drain() -> None:
    """Wait until all that was logged is written, but not for long."""
    if BackgroundHandler.writer is not None:
        BackgroundHandler.writer.drain()


def _begin_anew() -> None:
    """Give a forked process a writer of its own: it has inherited one without a thread."""
    if BackgroundHandler.writer is not None:
        BackgroundHandler.writer = BackgroundHandler.writer.anew()


os.register_at_fork(after_in_child=_begin_anew)
