"""The end of a process that has had no file left to open for a while: another takes its place.

Where granian ends TLS, connections in their handshake count against no limit of its own, and with
no file left for the next one it never looks at them again (docs/operating.md, Requests, bodies and
proxies). None would ever close, and each request would wait without end.
"""

import asyncio
import logging
import os

from connections_project.core.background_log import drain

logger = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds
PATIENCE = 5  # times in a row


def end_without_files(loop: asyncio.AbstractEventLoop, failures: int = 0) -> None:
    """Look every second whether this process can open a file; end it when it can't for five.

    Args:
        loop: Where to look again.
        failures: How many times in a row it could not until now.
    """
    failures = 0 if _is_one_left() else failures + 1
    if failures >= PATIENCE:
        logger.critical("No file was left to open for %g s: the process ends", PATIENCE * INTERVAL)
        drain()
        # Threads of the server are busy failing, and would be waited for.
        os._exit(1)
    loop.call_later(INTERVAL, end_without_files, loop, failures)


def _is_one_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    return True
