"""Whether the database would take what a platform is about to answer.

A code, a refresh token or a post is spent by one call, and what is answered exists nowhere else. A
full disk still takes an update that fits into its row's own page, as a lease does, and a lease
waits for no lock on the tables that the answer goes to. So whoever spends something asks here.
"""

import logging
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from django.db import OperationalError, connection, models

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS = 1.0
NEEDED_BYTES = 1_000_000
# PostgreSQL, appendix A: disk_full, lock_not_available, deadlock_detected (with a migration that
# takes the same tables in another order).
REFUSALS = {
    "53100": "the disk of the database is full",
    "55P03": "somebody has locked a table",
    "40P01": "somebody is locking its tables",
}
# configuration_limit_exceeded: the role may have no such files, which says nothing of the disk.
MAY_NOT_TELL = "53400"
# A sort that spills leaves nothing behind, not even a dead row (PostgreSQL, section 20.4.1).
_ROOM = f"""
    SET LOCAL work_mem = '64kB';
    SET LOCAL temp_tablespaces = '';
    PERFORM repeat('x', 1000) FROM generate_series(1, {NEEDED_BYTES // 1000}) AS n ORDER BY n DESC;
"""
# Without rows these take the locks that an INSERT takes, with no more rights than that, and that a
# row's lock takes, which a CREATE INDEX lets through.
_WRITE = "INSERT INTO {0} SELECT * FROM {0} WHERE false;"
_LOCK_ROWS = "PERFORM 1 FROM {0} WHERE false FOR NO KEY UPDATE;"
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '3s';"

# How a table is asked for, by its name.
_tables: dict[str, str] = {}


class NotStorableError(OperationalError):
    """The database is there, and has no room, or waits for a lock: nothing was spent."""


class Memory:
    """What this process has last seen, in seconds of the monotonic clock."""

    good_until = 0.0
    refused_until = 0.0

    def refuse(self) -> None:
        """Note that the database has just refused a write for want of room, or behind a lock."""
        self.good_until = 0.0
        self.refused_until = time.monotonic() + REMEMBERED_SECONDS


memory = Memory()
_one_looks = threading.Lock()


def written_with_answers(*written: type[models.Model]) -> None:
    """Register what is written with answers of platforms; called in `AppConfig.ready`."""
    _tables.update({one._meta.db_table: _WRITE for one in written})


def locked_with_answers(*locked: type[models.Model]) -> None:
    """Register what has a row locked where answers are written, and is not changed by them."""
    _tables.update({one._meta.db_table: _LOCK_ROWS for one in locked})


def require_storable() -> None:
    """Refuse to go on where what a platform answers could not be stored now.

    Raises:
        NotStorableError: It could not.
        OperationalError: The database is away.
    """
    if _is_known_good():
        return
    # Others wait for what the one that looks has found.
    with _one_looks:
        if not _is_known_good():
            _look_and_remember()


def _is_known_good() -> bool:
    now = time.monotonic()
    if now >= memory.good_until and now < memory.refused_until:
        raise NotStorableError("the database could not store it just now")
    return now < memory.good_until


def _look_and_remember() -> None:
    try:
        _look(_tables)
    except OperationalError as error:
        memory.refuse()
        if isinstance(error, NotStorableError):
            logger.warning("Platforms are not asked: %s", error)
        raise
    memory.good_until = time.monotonic() + REMEMBERED_SECONDS


def require_room() -> None:
    """Look whether the database's disk has room.

    Raises:
        OperationalError: It has none, or the database is away.
    """
    _look({})


def _look(tables: Mapping[str, str]) -> None:
    if connection.vendor != "postgresql":
        _look_at_file()
        return
    quote = connection.ops.quote_name
    locks = "".join(statement.format(quote(name)) for name, statement in sorted(tables.items()))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN {_LOCK_TIMEOUT} {locks} {_ROOM} END $$")
    except OperationalError as error:
        sqlstate = getattr(error.__cause__, "sqlstate", None)
        if sqlstate in REFUSALS:
            raise NotStorableError(REFUSALS[sqlstate]) from error
        if sqlstate != MAY_NOT_TELL:
            raise


def _look_at_file() -> None:
    folder = Path(connection.settings_dict["NAME"]).parent
    if shutil.disk_usage(folder).free < NEEDED_BYTES:
        raise NotStorableError("the disk of the database is full")
