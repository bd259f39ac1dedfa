"""Shut a web process down gracefully: proxies stop sending requests before it stops answering.

A proxy sends requests until a readiness probe fails, and each of them would be refused by a
listener that is closed already. So at SIGTERM `/readyz` answers 503, requests go on being served
for DRAIN_SECONDS, and the server ends as it does by itself: what is under way comes to its end.
"""

import asyncio
import logging
import os
import signal
import threading

logger = logging.getLogger(__name__)

# Set while this process drains.
draining = threading.Event()


def drain_at_sigterm(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """Have SIGTERM wait for proxies to notice; a second one doesn't wait.

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


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGINT)
