"""What must be done every now and then, whoever has the time: apps put their chores here."""

from collections.abc import Callable

_chores: list[Callable[[], object]] = []


def chore(work: Callable[[], object]) -> Callable[[], object]:
    """Note a chore: idempotent, cheap when there is nothing to do, safe beside itself."""
    _chores.append(work)
    return work


def keep_house() -> None:
    for work in _chores:
        work()
