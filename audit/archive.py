"""Move the oldest part of the audit log into a file outside, and keep both parts verifiable.

The file is an export of whole seals, which verifies by itself (`audit/verify_export.py`). Once it
has been read back and verified, the move is recorded, signed and audited; then the events go, a
seal at a time. The seals stay: what is left goes on from the archive's head, and the checkpoints
outside still compare. Whatever interrupts this, the next call goes on with it.
"""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Sum

from audit import archives, horizon, statements
from audit.events import Action
from audit.models import Archive, AuditEvent, Seal, SealedEvent
from audit.public_keys import as_text
from audit.record import Origin, record_about_log
from audit.unsealed import Window
from audit.verify_export import Reading
from connections_project.core import clock


class ArchiveError(Exception):
    """The log can't be archived as it stands; the text says why."""


@dataclass(frozen=True)
class Part:
    """The part of the log that is to be archived: whole seals, one after the other."""

    first: int
    last: int
    events: int


def part_before(before: datetime) -> Part | None:
    """Return what was sealed before a time and is not archived yet; None where that is nothing.

    Raises:
        ArchiveError: Something from before then is not sealed, or an archive is not signed.
    """
    if Window(None, None).unsealed().filter(occurred_at__lt=before).exists():
        raise ArchiveError("Events from before then are not sealed: run seal_audit_log first.")
    first = archived_through() + 1
    seals = Seal.objects.filter(pk__gte=first)
    # The chain is in the order of sealing: what a later seal has may be old, and stays with it.
    end = seals.filter(sealed_at__gte=before).order_by("pk").values_list("pk", flat=True).first()
    chosen = seals.filter(pk__lt=end) if end else seals.filter(sealed_at__lt=before)
    found = chosen.aggregate(last=Max("pk"), events=Sum("size"))
    return None if found["last"] is None else Part(first, found["last"], found["events"])


def archived_through() -> int:
    """Return the last seal whose events are archived; 0 for none.

    Raises:
        ArchiveError: Somebody says so who has not our key: by that no event may go.
    """
    last = 0
    for archive, problem in archives.with_problems(statements.known_keys()):
        if problem:
            raise ArchiveError(f"The archive of {archive} {problem}: see verify_audit_log.")
        last = archive.last_seal
    return last


def verified_digest(path: Path, part: Part, *, accepted: Collection[UUID] = ()) -> str:
    """Read an archive back, and return its SHA-256.

    Args:
        accepted: Events that turned up late and have been looked into.

    Raises:
        TamperedError, ArchiveError: It does not have what it should.
    """
    keys = [as_text(key) for key in statements.known_keys().values()]
    reading, digest = Reading(keys, (), [*map(str, accepted)]), hashlib.sha256()
    with path.open("rb") as file:
        reading.read(_digested(file, digest))
    # Its head, since another log may be signed with the same key.
    head = Seal.objects.values_list("head", flat=True).get(pk=part.last)
    if (reading.first, reading.events, reading.head) != (part.first, part.events, head):
        raise ArchiveError(f"{path} does not have all events of the seals up to {part.last}.")
    return digest.hexdigest()


def _digested(lines: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


def record_archive(part: Part, *, sha256: str, origin: Origin, reason: str) -> None:
    """Record that a part stands in a file that was verified; from now on its events may go."""
    archive = Archive(
        last_seal=part.last,
        first_seal=part.first,
        events=part.events,
        sha256=sha256,
        archived_at=clock.now(),
    )
    signed = statements.sign(statements.of_archive(archive), statements.signing_key())
    archive.key_id, archive.signature = signed["kid"], signed["signature"]
    moved = {"first_seal": part.first, "last_seal": part.last, "events": part.events}
    details = {**moved, "sha256": sha256}
    with transaction.atomic(using=horizon.database().alias):
        archive.save(force_insert=True)
        record_about_log(Action.AUDIT_ARCHIVED, origin=origin, reason=reason, details=details)


def unfinished() -> Archive | None:
    """Return the first archive of which events are still here; None where there is none.

    Raises:
        ArchiveError: See `archived_through`.
    """
    number = _first_left(archived_through())
    if number is None:
        return None
    return Archive.objects.filter(last_seal__gte=number).order_by("last_seal").first()


def require_kept(kept: Archive, path: Path) -> None:
    """Look whether a file is the one that was verified before an archive was recorded.

    Raises:
        ArchiveError: It is another one by now, or none: by that no event may go.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        sha256 = str(error.strerror)
    if sha256 != kept.sha256:
        raise ArchiveError(
            f"Events of seals {kept.first_seal} to {kept.last_seal} were archived, and are not all "
            f"removed yet. --to must name their file as it was, of SHA-256 {kept.sha256}; {path}: "
            f"{sha256}."
        )


def remove_archived(through: int) -> Iterator[int]:
    """Remove the events that are archived, and yield how many with each seal's.

    A seal's events go in one transaction with their digests.

    Args:
        through: The last seal of an archive whose file was looked at just now.
    """
    while (number := _first_left(through)) is not None:
        yield _remove(number, through)


def _first_left(through: int) -> int | None:
    left = SealedEvent.objects.filter(seal_id__lte=through).order_by("seal_id")
    return left.values_list("seal_id", flat=True).first()


def _remove(number: int, through: int) -> int:
    alias = horizon.database().alias
    members = SealedEvent.objects.filter(seal_id=number)
    events = AuditEvent.objects.filter(pk__in=members.values("event_id"))
    with transaction.atomic(using=alias), _passing_triggers(through):
        removed: int = events._raw_delete(using=alias)
        members._raw_delete(using=alias)
    return removed


@contextmanager
def _passing_triggers(through: int) -> Iterator[None]:
    """Name the archive to PostgreSQL's triggers; SQLite's look at each row."""
    database = horizon.database()
    if database.vendor != "postgresql":
        yield
        return
    setting = "SELECT set_config('audit.archived_through', %s, true)"
    with database.cursor() as cursor:
        cursor.execute(setting, [str(through)])
        yield
        cursor.execute(setting, [""])
