"""Verify the audit log against its seals, with public keys alone and in flat memory.

Findings come in the order of the log, so that the first one is the first bad row. The events of one
seal are in memory at a time, and a few thousand of those that have none yet.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from audit import archives, merkle, statements
from audit.digests import DigestedEvent, digested
from audit.horizon import CLOCKS_MAY_DIFFER_BY
from audit.models import AuditEvent, Seal, SealedEvent
from audit.readable import unreadable
from audit.seal import THE_BEGINNING
from audit.statements import signature_problem
from audit.unsealed import windows
from connections_project.core.parsing import render_datetime
from connections_project.core.signing import Keys

_SEALS_AT_ONCE = 200
# Of those without a seal, of which there may be any number.
_EVENTS_AT_ONCE = 5000


class Kind(StrEnum):
    """What was done to the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    CUT_OFF = "cut_off"
    # A signature that is missing, wrong, or by a key that nobody knows.
    NOT_SIGNED = "not_signed"
    # Another seal of the same number is known outside: everything was sealed anew.
    SEALED_ANEW = "sealed_anew"
    # No authority that is trusted has timestamped it, or only much later.
    NOT_TIMESTAMPED = "not_timestamped"
    # What is known outside is of a log that was there before this one.
    BEGUN_ANEW = "begun_anew"
    # A line outside is of another log than the file.
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in words for a person.

    `event_id` is None where no single event can be named, or nothing is left of it; `seal` where it
    stands in none.
    """

    kind: Kind
    words: str
    seal: int | None = None
    position: int | None = None
    event_id: UUID | None = None


class _Member(NamedTuple):
    """A sealed event's row, which is read by the million."""

    position: int
    event_id: UUID
    digest: bytes


@dataclass
class Verification:
    """One reading of the whole log, and how far it has come.

    Args:
        keys: The public keys that seals may be signed with.
        accepted: Events that turned up late and have been looked into.
    """

    keys: Keys
    accepted: Collection[UUID] = ()
    seals: int = 0
    events: int = 0
    unsealed: int = 0
    archived: int = field(default=0, init=False)
    archived_through: int = field(default=0, init=False)
    _head: str = field(default=statements.NO_PREDECESSOR, init=False)
    _number: int = field(default=0, init=False)
    _complete_until: datetime = field(default=THE_BEGINNING, init=False)

    def findings(self, advance: Callable[[], object] = lambda: None) -> Iterator[Finding]:
        """Read everything, and yield what is wrong; what comes meanwhile counts as unsealed.

        Args:
            advance: Called for each seal that was read.
        """
        yield from self._of_archives()
        for seal in seals_with():
            yield from self._of_seal(seal)
            if self._is_archived(seal):
                self.archived += seal.size
            else:
                yield from self._of_members(seal)
                self.events += seal.size
            advance()
            self.seals += 1
            self._head, self._number = seal.head, seal.number
            self._complete_until = seal.complete_until
        yield from self._left_behind()
        yield from self._unsealed()

    def _of_archives(self) -> Iterator[Finding]:
        """Verify what says which events are gone; what is not signed excuses nothing."""
        for archive, problem in archives.with_problems(self.keys):
            expected = self.archived_through + 1
            if problem:
                words = f"The archive of {archive} {problem}."
                yield Finding(Kind.NOT_SIGNED, words, archive.last_seal)
                continue
            if archive.first_seal > expected:
                gone = f"archive of seals {expected} to {archive.first_seal - 1}"
                yield Finding(Kind.REMOVED, f"The record of the {gone} was removed.", expected)
            self.archived_through = archive.last_seal

    def _is_archived(self, seal: Seal) -> bool:
        """Whether a seal's events are gone into an archive; those that are left are verified."""
        if seal.number > self.archived_through:
            return False
        return not SealedEvent.objects.filter(seal_id=seal.number).exists()

    def _of_seal(self, seal: Seal) -> Iterator[Finding]:
        """Verify one seal by itself, and what it says of the one before."""
        signed = statements.signed_seal(seal)
        expected = self._number + 1
        if problem := signature_problem(signed, self.keys):
            yield Finding(Kind.NOT_SIGNED, f"Seal {seal.number} {problem}.", seal.number)
        elif statements.head(signed) != seal.head:
            yield Finding(Kind.CHANGED, f"The head of seal {seal.number} was changed.", seal.number)
        if seal.number != expected:
            gone = _through(expected, seal.number - 1)
            yield Finding(Kind.REMOVED, f"Seal {gone} was removed, with its events.", expected)
        elif seal.previous != self._head:
            words = f"Seal {seal.number} follows another seal than number {self._number}."
            yield Finding(Kind.SEALED_ANEW, words, seal.number)

    def _of_members(self, seal: Seal) -> Iterator[Finding]:
        """Verify each event of a seal, and their digests together."""
        rows = SealedEvent.objects.filter(seal_id=seal.number).values_list(*_Member._fields)
        members = {row[0]: _Member(*row) for row in rows}
        chosen = AuditEvent.objects.filter(sealed__seal_id=seal.number)
        events = {event.event_id: event for event in digested(chosen)}
        found = False
        for position in range(max([seal.size, *(known + 1 for known in members)])):
            if finding := self._of_position(seal, position, members, events):
                found = True
                yield finding
        digests = [bytes(members[position].digest) for position in sorted(members)]
        if not found and merkle.root(digests).hex() != seal.root:
            yield Finding(Kind.CHANGED, _rewritten(seal, members), seal.number)

    def _of_position(
        self,
        seal: Seal,
        position: int,
        members: dict[int, _Member],
        events: dict[UUID, DigestedEvent],
    ) -> Finding | None:
        member = members.get(position)
        if member is None:
            return _removed(seal, position, members) if position < seal.size else None
        event = events.get(member.event_id)
        # Words are for those that are found: of most events there is nothing to say.
        if position >= seal.size:
            kind, words = (
                Kind.INSERTED,
                f"was inserted into seal {{}}, which has {seal.size} events.",
            )
        elif event is None:
            kind, words = Kind.REMOVED, "was removed (seal {}, position {})."
        elif event.digest != bytes(member.digest):
            kind, words = Kind.CHANGED, "was changed (seal {}, position {})."
        elif self._is_late(member.event_id, event.occurred_at + CLOCKS_MAY_DIFFER_BY):
            kind, words = Kind.INSERTED, self._late(event.occurred_at)
        else:
            return None
        told = f"Event {member.event_id} {words.format(seal.number, position)}"
        return Finding(kind, told, seal.number, position, member.event_id)

    def _left_behind(self) -> Iterator[Finding]:
        """Find digests after the last seal: the seals that had them are gone."""
        left = SealedEvent.objects.filter(seal_id__gt=self._number)
        first = left.order_by("seal_id", "position").first()
        # A seal that has come since this began is none that is gone.
        if first is not None and not Seal.objects.filter(pk=first.seal_id).exists():
            words = (
                f"The tail was cut off: seal {first.seal_id} is gone, and its digests are left, "
                f"from event {first.event_id} on."
            )
            yield Finding(Kind.CUT_OFF, words, first.seal_id, first.position, first.event_id)

    def _unsealed(self) -> Iterator[Finding]:
        for window in windows(size=_EVENTS_AT_ONCE):
            for event_id, occurred_at, digest in digested(window.unsealed()):
                if not digest:
                    yield Finding(Kind.INSERTED, unreadable(event_id), event_id=event_id)
                elif self._is_late(event_id, occurred_at):
                    words = f"Event {event_id} {self._late(occurred_at)}"
                    yield Finding(Kind.INSERTED, words, event_id=event_id)
                else:
                    self.unsealed += 1

    def _is_late(self, event_id: UUID, occurred_at: datetime) -> bool:
        """Whether an event is older than what was complete without it (`audit.horizon`).

        One that is not sealed yet may be suspected for less: should it be honest, the next seal
        clears it within the minute.
        """
        return occurred_at < self._complete_until and event_id not in self.accepted

    def _late(self, occurred_at: datetime) -> str:
        return (
            f"was inserted: it is dated {render_datetime(occurred_at)}, and was "
            f"not there when seal {self._number} closed the log until "
            f"{render_datetime(self._complete_until)}."
        )


def seals_with(*related: str) -> Iterator[Seal]:
    """Return all seals in order; a page at a time, since no cursor should be open for so long.

    Args:
        related: The names of one-to-one relations that are read along.
    """
    number, seals = 0, Seal.objects.select_related(*related).order_by("pk")
    while page := list(seals.filter(pk__gt=number)[:_SEALS_AT_ONCE]):
        yield from page
        number = page[-1].number


def _removed(seal: Seal, position: int, members: dict[int, _Member]) -> Finding:
    """Name an event of which not even the digest is left by its neighbours."""
    before, after = members.get(position - 1), members.get(position + 1)
    sides = (("after", before), ("before", after))
    neighbours = [f"{side} event {row.event_id}" for side, row in sides if row]
    place = f"seal {seal.number}, position {position}"
    words = f"An event was removed with its digest ({', '.join([place, *neighbours])})."
    return Finding(Kind.REMOVED, words, seal.number, position)


def _rewritten(seal: Seal, members: dict[int, _Member]) -> str:
    ids = [members[position].event_id for position in sorted(members)]
    between = f", events {ids[0]} to {ids[-1]}" if ids else ""
    return f"Events of seal {seal.number} were changed together with their digests{between}."


def _through(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
