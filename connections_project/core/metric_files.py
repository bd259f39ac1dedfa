"""Files of metrics that take their room on the disk before anything is written into it.

prometheus-client makes them sparse, and writes to them as to memory. Where the disk is full the
kernel ends a process at such a write (SIGBUS, mmap(2)), whatever it is in the middle of.
"""

import logging
import mmap
import os
from contextlib import suppress
from threading import Thread
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

logger = logging.getLogger(__name__)

FIRST_SIZE = 1 << 16
# What memory may hold; of the kernel's no more is taken than is used.
_SIZE_IN_MEMORY = 1 << 26
# Beside its key an entry has a length, up to eight bytes to align it, and two doubles.
_BESIDE_KEY = 28


class MetricFile(MmapedDict):
    """A file of metrics.

    Raises:
        OSError: There is no room, as of any method that adds something.
    """

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            _lengthen(filename, FIRST_SIZE)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def make_room(self, size: int) -> None:
        """Have room for some more bytes."""
        length = self._capacity
        while self._used + size > length:
            length *= 2
        if length > self._capacity:
            _lengthen(self._fname, length)
            self._m, self._capacity = mmap.mmap(self._f.fileno(), length), length

    def _init_value(self, key: str) -> None:
        self.make_room(len(key.encode()) + _BESIDE_KEY)
        super()._init_value(key)  # type: ignore[no-untyped-call]


class OwnMetricFile(MetricFile):
    """The file that this process counts in: in its memory as soon as there is no room."""

    _f: Any

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        try:
            super().__init__(filename, read_mode)
        except OSError as error:
            self._f, self._positions = None, {}
            self._go_on_in_memory(b"\x08".ljust(8, b"\x00"), error)
            self._used = 8

    def make_room(self, size: int) -> None:
        try:
            super().make_room(size)
        except OSError as error:
            self._go_on_in_memory(self._m[: self._used], error)

    def _go_on_in_memory(self, counted: bytes, error: OSError) -> None:
        self._m, self._capacity = mmap.mmap(-1, _SIZE_IN_MEMORY), _SIZE_IN_MEMORY
        self._m[: len(counted)] = counted
        # By a thread of its own: this one holds the library's lock, and lost lines are counted.
        with suppress(RuntimeError):  # The process is about to end.
            Thread(target=_warn, args=[error], name="metrics").start()


def _warn(error: OSError) -> None:
    logger.warning(
        "No room for metrics (%s): until it ends, /metrics lacks what process %s counts.",
        error.strerror,
        os.getpid(),
    )


def _lengthen(filename: str, size: int) -> None:
    """Write zeros up to a length; a hole would take no room yet."""
    descriptor = os.open(filename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while (missing := size - os.fstat(descriptor).st_size) > 0:
            os.write(descriptor, bytes(missing))
    finally:
        os.close(descriptor)


def use() -> None:
    """Have prometheus-client, which has no option for it, keep metrics in these."""
    names: Any = values
    names.MmapedDict = OwnMetricFile
