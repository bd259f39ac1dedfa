"""Export the audit log, or a part of it, so that others can verify it without us.

JSON Lines, each an object with its `kind`:

- `export`, first: what was asked for, when, and the public keys; `after` is the seal with which the
  archives before it end, where there are any, and `through` the last seal of an archive.
- `seal`, before its events: the signed seal. Where all its events follow, `digests` lists theirs.
- `event`: the `event` itself, in which `seal` it stands at which `position`; `proof` leads from its
  digest to the seal's root (RFC 9162) where the seal's other events are left out. `seal` is null
  where it is not sealed yet.
- `unreadable`: the `event_id` of a row that can't be read, in the place of its event.
- `end`, last: how many there were, and a signature over the digest of all lines before it.

`audit/verify_export.py` verifies it, and needs no Django.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from audit import archives, merkle, statements
from audit.canonical import event_as_json, precise, written
from audit.models import AuditEvent, Seal, SealedEvent
from audit.readable import UnreadableEventError, rows
from audit.unsealed import Window, windows
from connections_project.core import clock
from connections_project.core.signing import jwk

FORMAT = 1


@dataclass(frozen=True)
class Selection:
    """Which events are wanted; None everywhere: all.

    Args:
        since: From this moment on.
        until: Before this moment.
        owner: Those about this user's or team's things.
        subject: Those about this thing, such as a connection.
    """

    since: datetime | None = None
    until: datetime | None = None
    owner: UUID | None = None
    subject: UUID | None = None

    @property
    def is_everything(self) -> bool:
        return self == Selection()

    def events(self) -> "QuerySet[AuditEvent]":
        asked = {
            "occurred_at__gte": self.since,
            "occurred_at__lt": self.until,
            "subject_owner_id": self.owner,
            "subject_id": self.subject,
        }
        given = {column: value for column, value in asked.items() if value is not None}
        return AuditEvent.objects.filter(**given)

    def as_json(self) -> dict[str, str | None]:
        return {
            "since": precise(self.since) if self.since else None,
            "until": precise(self.until) if self.until else None,
            "owner": str(self.owner) if self.owner else None,
            "subject": str(self.subject) if self.subject else None,
        }


@dataclass
class Export:
    """One export on its way out; the numbers grow as its lines are taken.

    Args:
        through: The last seal of an archive, which has nothing that comes later; None: all.
    """

    selection: Selection
    through: int | None = None
    events: int = 0
    unsealed: int = 0
    unreadable: list[UUID] = field(default_factory=list, init=False)
    _digest: Any = field(default_factory=hashlib.sha256, init=False)

    def lines(self) -> Iterator[bytes]:
        """Write it line by line; no more than one seal's events are in memory."""
        before = self._last_archived()
        yield self._line(self._opening(before))
        last = self._last_seal()
        if last is not None:
            for seal in self._seals(before.number if before else 0, last.number):
                yield from map(self._line, self._of_seal(seal))
        if self.through is None:
            yield from map(self._line, self._unsealed(last))
        yield self._line(self._end())

    def _last_archived(self) -> Seal | None:
        """Return the seal on which a whole export goes on, where some are archived."""
        archived = archives.last_signed() if self.selection.is_everything else None
        return Seal.objects.get(pk=archived.last_seal) if archived else None

    def _last_seal(self) -> Seal | None:
        seals = Seal.objects.order_by("-pk")
        return (seals.filter(pk=self.through) if self.through else seals).first()

    def _line(self, value: dict[str, Any]) -> bytes:
        line = written(value) + b"\n"
        self._digest.update(line)
        return line

    def _opening(self, before: Seal | None) -> dict[str, Any]:
        """Write the first line.

        Args:
            before: The seal with which the archives before this end, where there are any.
        """
        keys = statements.known_keys().values()
        after = {"after": {"seal": before.number, "head": before.head}} if before else {}
        through = {"through": self.through} if self.through else {}
        return {
            **after,
            **through,
            "kind": "export",
            "format": FORMAT,
            "exported_at": precise(clock.now()),
            "selection": self.selection.as_json(),
            "keys": [jwk(key) for key in keys],
        }

    def _seals(self, after: int, last: int) -> Iterator[Seal]:
        """Return the seals that have any of the events; all of them where all events are wanted."""
        seals = Seal.objects.filter(pk__gt=after, pk__lte=last).order_by("pk")
        if self.selection.is_everything:
            yield from seals.iterator()
            return
        numbers = self.selection.events().filter(sealed__seal_id__lte=last)
        for number in (
            numbers.values_list("sealed__seal_id", flat=True).distinct().order_by("sealed__seal_id")
        ):
            yield seals.get(pk=number)

    def _of_seal(self, seal: Seal) -> Iterator[dict[str, Any]]:
        members = SealedEvent.objects.filter(seal_id=seal.number).order_by("position")
        digests = [bytes(digest) for digest in members.values_list("digest", flat=True)]
        events = self.selection.events().filter(sealed__seal_id=seal.number)
        ordered = events.order_by("sealed__position")
        chosen = [(row["sealed__position"], row) for row in rows(ordered, "sealed__position")]
        is_whole = self.selection.is_everything or len(chosen) == seal.size
        signed = statements.signed_seal(seal)
        yield {**signed, "digests": [one.hex() for one in digests]} if is_whole else signed
        for position, row in chosen:
            proof = {} if is_whole else {"proof": _proof(digests, position)}
            yield {**self._event(row, seal.number), "position": position, **proof}

    def _unsealed(self, last: Seal | None) -> Iterator[dict[str, Any]]:
        """Return what was not sealed when the export began, though it may be by now."""
        after = Q(sealed__seal_id__gt=last.number) if last else Q(sealed__isnull=False)
        left = self.selection.events().filter(Q(sealed=None) | after)
        # A part is found by its own index.
        stretches = windows() if self.selection.is_everything else [Window(None, None)]
        for stretch in stretches:
            for row in rows(stretch.of(left), in_memory=False):
                self.unsealed += row["occurred_at"] is not None
                yield self._event(row, None)

    def _event(self, row: dict[str, Any], seal: int | None) -> dict[str, Any]:
        if row["occurred_at"] is None:
            return self._unreadable(row["id"], seal)
        self.events += 1
        return {"kind": "event", "seal": seal, "event": event_as_json(row)}

    def _unreadable(self, event_id: UUID, seal: int | None) -> dict[str, Any]:
        self.unreadable.append(event_id)
        if self.through is not None:
            # By an archive no event may go that it does not have.
            raise UnreadableEventError(self.unreadable)
        return {"kind": "unreadable", "seal": seal, "event_id": str(event_id)}

    def _end(self) -> dict[str, Any]:
        summary = {
            "kind": "end",
            "events": self.events,
            "unsealed": self.unsealed,
            "sha256": self._digest.hexdigest(),
        }
        return statements.sign(summary, statements.signing_key())


def exported_events(lines: Iterable[str | bytes]) -> Iterator[dict[str, Any]]:
    """Return the events of an export in the order in which they stand there, sealed ones first.

    Nothing is verified here; `audit/verify_export.py` does that.

    Raises:
        ValueError: A line is not JSON, or the export was cut off before its end.
    """
    ended = False
    for text in lines:
        line = json.loads(text)
        ended = line["kind"] == "end"
        if line["kind"] == "event":
            yield line["event"]
    if not ended:
        raise ValueError("the export has no last line: it was cut off")


def _proof(digests: list[bytes], position: int) -> list[list[str]]:
    return [[side, digest.hex()] for side, digest in merkle.proof(digests, position)]
