"""Kinds of arguments that several commands take."""

import threading
from argparse import ArgumentTypeError
from datetime import datetime

from connections_project.core.parsing import parse_datetime

_DAY = len("2026-01-31")


def date_or_time(given: str) -> datetime:
    """Read a day, which is its first moment, or a time; both in UTC where no zone is given.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    try:
        return parse_datetime(given if len(given) > _DAY else f"{given}T00:00")
    except ValueError:
        raise ArgumentTypeError(
            f"{given!r} is not a date or a time, such as 2026-01-31 or 2026-01-31T10:00:00Z"
        ) from None


def seconds(text: str) -> float:
    """Read how long a command waits.

    Raises:
        ValueError: It is no number, not above 0, or more than can be waited.
    """
    number = float(text)
    if not 0 < number <= threading.TIMEOUT_MAX:
        raise ValueError(text)
    return number


# argparse names the type in its message.
seconds.__name__ = "number of seconds"
