"""`manage.py archive_audit_log`: move the oldest part of the audit log into a file outside."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit import archive, checkpoints
from audit.archive import ArchiveError, Part
from audit.arguments import add_accept, user_id
from audit.checkpoints import DisagreementError
from audit.events import ActorType, Interface
from audit.export import Export, Selection
from audit.management.commands.export_audit_log import written
from audit.models import Archive
from audit.record import Origin
from audit.verify_export import TamperedError
from connections_project.core import clock
from connections_project.core.commands.arguments import date_or_time
from connections_project.core.commands.base import (
    ResultCommand,
    counted,
    given_reason,
    interruptible,
)

EXAMPLES = """
examples:
  manage.py archive_audit_log --before 2025-01-01 --to /mnt/worm/audit-2024.jsonl --dry-run --json
  manage.py archive_audit_log --before 2025-01-01 --to /mnt/worm/audit-2024.jsonl --reason "Yearly"

The file verifies by itself, as an export does; the log that is left verifies from its last seal on.
The events are removed once the file was read back and verified. Run it again after whatever has
interrupted it, with the same file. Receipts, leaver receipts and show_audit_trail no longer know
what was archived.
"""
# What was interrupted after the file was written goes on with it.
OTHER = (
    "It is not what would be archived now: name another file, and remove this one if it is none."
)
STOPPED = "Stopped. What is archived stays so; run it again to remove the rest of it from here."


class Command(ResultCommand):
    help = "Move what was sealed before a time out of the audit log, into a file that verifies."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--before",
            type=date_or_time,
            required=True,
            metavar="DATE",
            help="what was sealed before then; UTC where no zone is given",
        )
        parser.add_argument(
            "--to",
            type=Path,
            required=True,
            metavar="FILE",
            help="a new file, or one that was interrupted",
        )
        parser.add_argument(
            "--operator", metavar="EMAIL|ID", help="who archives, for the audit log"
        )
        parser.add_argument("--reason", default="", help="why, for the audit log")
        add_accept(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(
        self,
        *,
        before: datetime,
        to: Path,
        operator: str | None,
        reason: str,
        accept: list[UUID],
        dry_run: bool,
        json: bool,
        **_: Any,
    ) -> None:
        reason = given_reason(reason, least=0)
        if to.exists() and not (to.is_file() or to.is_dir()):
            raise CommandError(f"{to} is no file that keeps anything.", returncode=2)
        part = _part_before(before)
        if dry_run:
            left = _left_behind()
            text = f"Would archive: {_in_words(part)}.{_left_in_words(left)}"
            self.report(text, _facts(part, removed=0, dry_run=True, left=left), as_json=json)
            return
        actor = user_id(operator, is_staff=True) if operator else None
        origin = Origin(ActorType.OPERATOR, actor, Interface.COMMAND)
        with interruptible(STOPPED):
            if (unfinished := _unfinished(to)) is not None:
                part, through = None, unfinished.last_seal
            elif part is not None:
                self._archive(part, to, accept, origin=origin, reason=reason)
                through = part.last
            else:
                through = 0
            removing = archive.remove_archived(through)
            removed = sum(tqdm(removing, desc="Removing", disable=None, leave=False))
        kept = f", in {to}" if part else ""
        text = f"Archived: {_in_words(part)}{kept}. Removed here: {counted(removed, 'event')}."
        self.report(text, _facts(part, removed=removed, dry_run=False), as_json=json)

    def _archive(
        self, part: Part, to: Path, accepted: list[UUID], *, origin: Origin, reason: str
    ) -> None:
        is_there = to.exists()
        if not is_there:
            self._write(part, to)
        try:
            sha256 = archive.verified_digest(to, part, accepted=accepted)
        except (TamperedError, ArchiveError, OSError) as error:
            if is_there:
                raise CommandError(f"{to} is there already. {OTHER}", returncode=2) from None
            raise CommandError(f"The audit log is not what was sealed. {error}") from None
        archive.record_archive(part, sha256=sha256, origin=origin, reason=reason)

    def _write(self, part: Part, to: Path) -> None:
        export = Export(Selection(), through=part.last)
        with written(to, self.stdout) as file:
            for line in tqdm(export.lines(), desc="Archiving", disable=None, leave=False):
                file.write(line.decode("ascii"))


def _part_before(before: datetime) -> Part | None:
    if before > clock.now():
        raise CommandError("--before must not lie in the future.", returncode=2)
    try:
        checkpoints.require_agreement()
        return archive.part_before(before)
    except DisagreementError as error:
        raise CommandError(f"{error} Nothing is archived: see verify_audit_log.") from None
    except ArchiveError as error:
        raise CommandError(str(error)) from None


def _unfinished(to: Path) -> Archive | None:
    """Return the archive whose removal was interrupted, if there is one; its file must be there."""
    try:
        kept = archive.unfinished()
        if kept is not None:
            archive.require_kept(kept, to)
    except ArchiveError as error:
        raise CommandError(str(error), returncode=2) from None
    return kept


def _left_behind() -> Archive | None:
    """Return what an interrupted run has left, which comes first."""
    try:
        return archive.unfinished()
    except ArchiveError as error:
        raise CommandError(str(error)) from None


def _left_in_words(left: Archive | None) -> str:
    return f" First the rest of {left} is removed." if left else ""


def _in_words(part: Part | None) -> str:
    if part is None:
        return "nothing"
    return f"{counted(part.events, 'event')} of seals {part.first} to {part.last}"


def _facts(
    part: Part | None, *, removed: int, dry_run: bool, left: Archive | None = None
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "events": part.events if part else 0,
        "first_seal": part and part.first,
        "last_seal": part and part.last,
        "removed_events": removed,
        "left_behind": left and {"first_seal": left.first_seal, "last_seal": left.last_seal},
    }
