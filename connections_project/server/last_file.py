"""The end of a process that has had no file left to open for a while: another takes its place.

Where granian ends TLS, connections in their handshake count against no limit of its own, and with
no file left for the next one it never looks at them again (docs/operating.md, Requests, bodies and
proxies). None would ever close, and each request would wait without end.
"""

import asyncio
import errno
import logging
import os
import threading
import time
from collections.abc import Callable

from connections_project.core.background_log import drain

logger = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds
PATIENCE = 5  # times in a row
# A call of a platform takes 10 at most, and what it brought is stored.
FINISHING_SECONDS = 12.0
SENDING_SECONDS = 1.0


def end_without_files(
    loop: asyncio.AbstractEventLoop, finish: Callable[[], object], failures: int = 0
) -> None:
    """Look every second whether this process can open a file; end it when it can't for five.

    Args:
        loop: Where to look again.
        finish: Waits for what is under way: it may need no further file to store a token.
        failures: How many times in a row it could not until now.
    """
    failures = 0 if _is_one_left() else failures + 1
    if failures < PATIENCE:
        loop.call_later(INTERVAL, end_without_files, loop, finish, failures)
        return
    logger.critical("No file was left to open for %g s: the process ends", PATIENCE * INTERVAL)
    loop.call_later(FINISHING_SECONDS, _end)
    # Not here: answers need the loop.
    threading.Thread(target=_finish_and_end, args=[finish], daemon=True).start()


def _finish_and_end(finish: Callable[[], object]) -> None:
    finish()
    # The server sends the last answers by itself.
    time.sleep(SENDING_SECONDS)
    _end()


def _end() -> None:
    drain()
    # Any other way waits for all threads, however long.
    os._exit(1)


def _is_one_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in {errno.EMFILE, errno.ENFILE}
    return True
