"""Signals that end a process, turned into an exception, so that what was started is cleaned up."""

import signal
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants the process to end. No `except Exception` holds it up."""


def raise_on_signals() -> None:
    """Raise Interrupted at the first of these signals, and ignore any more of them."""
    for number in ENDING:
        signal.signal(number, _raise)


def ignore_signals() -> None:
    """Ignore signals while cleaning up."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _raise(*_: object) -> NoReturn:
    ignore_signals()
    raise Interrupted
