"""What must be done every now and then, whoever has the time: apps register their chores here.

A chore works off what a table says is due, so nothing is lost when it is not done for a while, or
twice at once. Celery's beat has them done by workers (`connections_project/celery.py`); on the
embedded default `manage.py run_revocations` does them. `nudge` has one done early.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

Work = Callable[[], object]

# Set as soon as this process is to end: whoever works off a long queue then takes nothing more.
stopping = threading.Event()


@dataclass(eq=False)
class Chore:
    """One piece of periodic work.

    Args:
        work: Does it. Idempotent, cheap when there is nothing to do, safe beside itself.
        every: Seconds from one time to the next.
    """

    work: Work
    every: float
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _wanted: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return _name_of(self.work)

    def do(self) -> None:
        """Do it, or have whoever does it in this process just now do it once more afterwards.

        So a thousand nudges don't occupy all of a worker's threads, and none goes unheard.
        """
        self._wanted.set()
        while self._wanted.is_set() and self._turn.acquire(blocking=False):
            try:
                self._wanted.clear()
                self.work()
            finally:
                self._turn.release()


_chores: dict[str, Chore] = {}


def chore(work: Work, *, every: float = 60.0) -> Work:
    """Register a chore; to be called from an app's `ready`.

    Args:
        work: See `Chore`; a function of a module, by whose name other processes know it.
        every: Seconds from one time to the next.
    """
    _chores[_name_of(work)] = Chore(work, every)
    return work


def chores() -> list[Chore]:
    return list(_chores.values())


def chore_of(work: Work | str) -> Chore:
    """Give the chore of a function or a name.

    Raises:
        KeyError: Nobody has registered it.
    """
    return _chores[work if isinstance(work, str) else _name_of(work)]


def _name_of(work: Work) -> str:
    return f"{work.__module__}.{work.__qualname__}"


class Housekeeper:
    """Does each chore when its interval has passed, and all of them at first."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}

    def keep_house(self, *, besides: Collection[Work] = ()) -> None:
        """Do what is due; a chore that fails is logged and keeps none of the others away.

        Args:
            besides: What the caller does by itself.
        """
        for each in chores():
            if each.work not in besides and self._is_due(each):
                self._begun[each.name] = time.monotonic()
                self._do(each)

    def _is_due(self, each: Chore) -> bool:
        begun = self._begun.get(each.name)
        return begun is None or time.monotonic() - begun >= each.every

    def _do(self, each: Chore) -> None:
        try:
            each.do()
        except Exception:
            logger.exception("A chore failed and is tried again later: %s", each.name)


def keep_house(*, besides: Collection[Work] = ()) -> None:
    """Do all chores now."""
    Housekeeper().keep_house(besides=besides)
