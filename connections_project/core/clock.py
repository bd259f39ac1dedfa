"""The database's clock, by which processes on all hosts store and compare times.

Hosts' clocks differ. One that is ahead would give up what others have just begun, or put work off
until its own time has come. The clock is read when a session is taken, once in a while; in between
the time goes on as the host's monotonic clock does, which nobody sets. That one stands still while
the host is suspended, which the host's own clock shows: then it is read at once.
"""

import time
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

READ_EVERY = 60.0
# After a reading that was due, and may have failed.
RETRY_AFTER = 1.0
# How far the host's clock may move from the monotonic one before that tells of a suspension.
MOST_DRIFT = 1.0


def _host_lead() -> float:
    """Return by how many seconds the host's clock is ahead of the monotonic one."""
    return time.time() - time.monotonic()


class DatabaseClock:
    """What this process knows of the database's clock."""

    def __init__(self) -> None:
        # By how many seconds that clock is ahead of the monotonic one; None before it was read.
        self._lead: float | None = None
        self.next_reading = 0.0
        self._host_lead = 0.0

    def now(self) -> datetime:
        """Return the time; by the host's clock on SQLite, whose database is on the same host."""
        if self._lead is None and connection.vendor == "postgresql" and self.is_due():
            # Taking the first session reads it.
            connection.ensure_connection()
        if self._lead is None:
            return timezone.now()
        return datetime.fromtimestamp(time.monotonic() + self._lead, UTC)

    def has_run_out(self) -> bool:
        """Whether what is known of the clock is to be read anew."""
        return self._has_slept() or time.monotonic() >= self.next_reading

    def is_due(self) -> bool:
        """Whether the caller is to read the clock: later on, as one of many threads."""
        is_due = self.has_run_out()
        if is_due and self._lead is not None:
            self.next_reading = time.monotonic() + RETRY_AFTER
            self._host_lead = _host_lead()
        return is_due

    def _has_slept(self) -> bool:
        """Whether the host was suspended since the last reading, or its clock set."""
        return self._lead is not None and abs(_host_lead() - self._host_lead) > MOST_DRIFT

    def set(self, epoch: float) -> None:
        """Note what the clock has just shown, in seconds since the epoch."""
        self._lead = epoch - time.monotonic()
        self._host_lead = _host_lead()
        self.next_reading = time.monotonic() + READ_EVERY


database_clock = DatabaseClock()
now = database_clock.now
