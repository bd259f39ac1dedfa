"""Shut a web process down gracefully: proxies stop sending requests before it stops answering.

A proxy sends requests until a readiness probe fails, and each of them would be refused by a
listener that is closed already. So at SIGTERM `/readyz` answers 503, requests go on being served
for DRAIN_SECONDS, and the server ends as it does by itself: what is under way comes to its end.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

# Between two looks at whether the parent lives.
PARENT_SECONDS = 1.0
# Set while this process drains.
draining = threading.Event()


def drain_at_sigterm(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """Have SIGTERM, or the parent's end, wait for proxies; a second SIGTERM doesn't wait.

    SIGINT, at which granian stops at once by its own handler, is what ends the process then.

    Args:
        loop: That of the process, whose signals granian handles by now.
        seconds: How long proxies may take.
    """

    def begin() -> None:
        if draining.is_set() or not seconds:
            _stop()
            return
        draining.set()
        logger.info("Draining for %g s: no longer ready, still answering", seconds)
        loop.call_later(seconds, _stop)

    loop.add_signal_handler(signal.SIGTERM, begin)
    # By now it may be gone already: granian's processes know who started them.
    if (parent := multiprocessing.parent_process()) and parent.pid:
        _watch_parent(loop, parent.pid, begin)


def _watch_parent(
    loop: asyncio.AbstractEventLoop, parent: int, begin: Callable[[], object]
) -> None:
    """Drain once granian's main process is gone, as by `kill -9`.

    Nobody would ever end this one, and beside those of the next start it would go on answering with
    the settings and keys of before.
    """
    if os.getppid() != parent:
        logger.warning("The process that started this one is gone")
        if not draining.is_set():
            begin()
    else:
        loop.call_later(PARENT_SECONDS, _watch_parent, loop, parent, begin)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGINT)
