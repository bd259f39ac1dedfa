"""Run a periodic task as soon as the current transaction has committed."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from connections_project.core.periodic import Work, periodic_task_of

logger = logging.getLogger(__name__)

# How long the broker is waited for, and how long it is left alone when it was away.
BROKER_SECONDS = 0.25
QUIET_SECONDS = 5.0
# What is requested again within this time shares one message: each costs as much as a tenth of a
# disconnect does.
GATHERING_SECONDS = 0.2


def enqueue(work: Work, *, inline: Callable[[], object] | None = None) -> None:
    """Run a periodic task after the commit of the caller's transaction.

    With a broker a worker gets a message; one for each transaction, however often this is
    called. A broker that is away delays nobody and fails nothing: beat has the work done later.

    Args:
        work: The task's function, as it was registered.
        inline: What is done in this process where there is no broker: at least what was just
            caused, in a time that a request can bear. The whole task where it is left out.
    """
    if not settings.CELERY_BROKER_URL:
        _after_commit(inline or periodic_task_of(work).do)
        return
    message = _Message(periodic_task_of(work).name)
    waiting = (entry[1] for entry in transaction.get_connection().run_on_commit)
    if message not in waiting:
        _after_commit(message)


def _after_commit(hook: Callable[[], object]) -> None:
    """Call something after the commit; a fault of it is logged, and is nobody else's."""
    if not hasattr(hook, "__qualname__"):
        # By this Django names what has failed. Objects lack it, and with it the whole call failed.
        object.__setattr__(hook, "__qualname__", type(hook).__qualname__)
    transaction.on_commit(hook, robust=True)


def notify_workers(work: Work) -> None:
    """Have workers run a periodic task after the commit of the caller's transaction.

    Where there are none it is left to `run_background`: a request must not wait for it.
    """
    if settings.CELERY_BROKER_URL:
        enqueue(work)


@dataclass(frozen=True)
class _Message:
    name: str

    def __call__(self) -> None:
        _broker.send(self.name)


class _Broker:
    """The broker, for callers that must not wait for it.

    A thread sends while there is something to send, so that hundreds of requests a second cost a
    few messages, and one that hangs delays none. A process that ends waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._is_sending = False
        self._quiet_until = 0.0

    def send(self, name: str) -> None:
        """Send a worker the task's name, or log that this failed."""
        with self._lock:
            self._wanted.add(name)
            if self._is_sending:
                return
            self._is_sending = True
        try:
            threading.Thread(target=self._send_all, name="dispatch").start()
        except RuntimeError:
            # The process has as many threads as it may: the next message has this one sent too.
            self._is_sending = False
            logger.warning("No thread sends messages; beat will have %s run.", name)

    def _send_all(self) -> None:
        # What is wanted from here on is sent by the next round: it may be for a later commit.
        while names := self._next_names():
            for name in sorted(names):
                self._send_one(name)
            time.sleep(GATHERING_SECONDS)

    def _next_names(self) -> set[str]:
        with self._lock:
            names, self._wanted = self._wanted, set()
            self._is_sending = bool(names)
            return names

    def _send_one(self, name: str) -> None:
        from kombu.exceptions import OperationalError  # Only where there is a broker.

        if time.monotonic() < self._quiet_until:
            return
        try:
            _send(name)
        except (OperationalError, OSError) as error:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            logger.warning(
                "The broker is away (%s); beat will have %s run.", type(error).__name__, name
            )
        except Exception:
            # The thread must live on, or no message would be sent any more.
            logger.exception("A message failed; beat will have %s run.", name)


_broker = _Broker()


def _send(name: str) -> None:
    from kombu.pools import producers  # Only where there is a broker.

    from connections_project.celery import app, run_periodic_task  # Only where there is a broker.

    with producers[_connection()].acquire(block=True, timeout=BROKER_SECONDS) as producer:
        app.send_task(run_periodic_task.name, [name], producer=producer, retry=False)


@cache
def _connection() -> Any:
    """Describe the broker with time limits that a request can bear; workers have longer ones."""
    from connections_project.celery import app  # Only where there is a broker.

    limits = {
        "socket_connect_timeout": BROKER_SECONDS,
        "socket_timeout": BROKER_SECONDS,
        "max_retries": 0,
    }
    return app.connection_for_write(transport_options=limits)
