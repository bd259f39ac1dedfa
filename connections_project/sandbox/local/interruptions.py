"""Signals that end a process, turned into an exception, so that what was started is cleaned up."""

import signal
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants the process to end. No `except Exception` holds it up."""


def raise_on_signals() -> None:
    """Raise Interrupted at the first of these signals; more of them don't disturb the cleaning."""
    for number in ENDING:
        signal.signal(number, _raise)


def _raise(*_: object) -> NoReturn:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted
