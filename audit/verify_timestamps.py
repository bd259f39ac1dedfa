"""Verify the seals' timestamps: what a stolen signing key can't make, since it needs the past.

A log that is sealed is sealed anew every hour at least, and each time its last head is timestamped.
So from one timestamp to the next no more than a day passes, unless the authority, or the sealing,
was away, or what stands between was sealed anew and timestamped only then.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.x509 import Certificate

from audit.models import PLAUSIBLE_TIME, AuditEvent, Seal, Timestamp
from audit.timestamps import NotTimestampedError, OtherHeadError, timestamped_at
from audit.verify import Finding, Kind, seals_with
from connections_project.core.parsing import render_datetime

LATE = timedelta(days=1)


@dataclass
class TimestampVerification:
    """One reading of the timestamps, and how far it has come.

    Args:
        roots: The certificates of the authorities that are trusted.
        known_heads: Heads that are known to be genuine: what is sealed up to these need not have
            been timestamped in time.
    """

    roots: Collection[Certificate]
    known_heads: Collection[str] = ()
    timestamps: int = field(default=0, init=False)
    # Until when all is known to have been there in time.
    _at: datetime | None = field(default=None, init=False)
    # Since the last one that has one.
    _waiting: list[Seal] = field(default_factory=list, init=False)

    def findings(self) -> Iterator[Finding]:
        """Read all seals' timestamps, and yield what is wrong, in the order of the log."""
        unknown = set(self.known_heads)
        for seal in seals_with("timestamp"):
            self._at = self._at or _began(seal)
            self._waiting = [*self._waiting[:1], seal]
            if seal.head in unknown:
                unknown.remove(seal.head)
                self._reach(seal.sealed_at)
            if hasattr(seal, "timestamp"):
                yield from self._of_timestamp(seal)
        yield from self._of_end()
        yield from _left_behind()
        for head in sorted(unknown):
            words = f"No seal has the head {head}, which is known: the log was sealed anew."
            yield Finding(Kind.SEALED_ANEW, words)

    def _of_timestamp(self, seal: Seal) -> Iterator[Finding]:
        try:
            made_at = timestamped_at(
                bytes(seal.timestamp.response), head=seal.head, roots=self.roots
            )
        except OtherHeadError as error:
            words = f"Seal {seal.number} was sealed anew: {error}."
            yield Finding(Kind.SEALED_ANEW, words, seal.number)
        except NotTimestampedError as error:
            words = f"The timestamp of seal {seal.number} is none: {error}."
            yield Finding(Kind.NOT_TIMESTAMPED, words, seal.number)
        else:
            self.timestamps += 1
            yield from self._in_time(made_at, f"timestamped only at {render_datetime(made_at)}")
            self._reach(made_at)

    def _of_end(self) -> Iterator[Finding]:
        """Name what comes after the last timestamp and has waited for too long.

        A seal's own time is what the key's holder says it is, so the events' times count too.
        """
        first, newest = _ends_of_events()
        at = max(filter(None, (newest, *(seal.sealed_at for seal in self._waiting))), default=None)
        self._at = self._at or first
        if at is None:
            return
        if self._waiting:
            yield from self._in_time(at, "not timestamped until now")
        elif self._at and at - self._at > LATE:
            words = (
                f"Since {render_datetime(self._at)} nothing was timestamped, and the log goes on."
            )
            yield Finding(Kind.NOT_TIMESTAMPED, words)

    def _in_time(self, at: datetime, words: str) -> Iterator[Finding]:
        """Name the seals that have waited for too long when they were timestamped, if ever."""
        before = self._at or at
        if at - before > LATE:
            first, last = self._waiting[0], self._waiting[-1]
            numbers = f"{first.number} to {last.number}"
            since = f"more than a day after {render_datetime(before)}"
            text = f"Seals {numbers} may have been sealed anew: they were {words}, {since}."
            yield Finding(Kind.NOT_TIMESTAMPED, text, first.number)

    def _reach(self, at: datetime) -> None:
        self._at = max(self._at or at, at)
        self._waiting = []


def _left_behind() -> Iterator[Finding]:
    """Find timestamps after the last seal: the seals that had them are gone."""
    last = Seal.objects.order_by("number").values_list("number", flat=True).last() or 0
    first = Timestamp.objects.filter(seal_id__gt=last).order_by("pk").first()
    if first is not None:
        words = f"The tail was cut off: seal {first.seal_id} was timestamped, and is gone."
        yield Finding(Kind.CUT_OFF, words, first.seal_id)


def _began(first: Seal) -> datetime:
    """Return when the log began, by its seals or by its events, whichever say earlier."""
    oldest, _ = _ends_of_events()
    return min(oldest or first.sealed_at, first.sealed_at)


def _ends_of_events() -> tuple[datetime | None, datetime | None]:
    """Return the times of the oldest and of the newest event."""
    events = AuditEvent.objects.filter(PLAUSIBLE_TIME).order_by("occurred_at")
    times = events.values_list("occurred_at", flat=True)
    return times.first(), times.last()
