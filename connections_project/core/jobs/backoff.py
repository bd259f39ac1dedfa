"""How long to wait before the next attempt."""

import random
from datetime import timedelta


def backoff(
    attempts: int, *, first: float, longest: timedelta, shortest: timedelta = timedelta(0)
) -> timedelta:
    """Return a wait that doubles with each attempt, spread by up to a quarter.

    Args:
        attempts: How many have failed, at least one.
        first: Seconds after the first one.
        longest: What it grows to, before the spread.
        shortest: What it begins with at least, before the spread.
    """
    wait = min(timedelta(seconds=first) * 2 ** min(max(attempts - 1, 0), 20), longest)
    spread: timedelta = max(wait, shortest) * random.uniform(1, 1.25)
    return spread
