"""`manage.py export_audit_log`: the audit log, or a part of it, for others to verify."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.db import transaction
from tqdm import tqdm

from audit.arguments import user_id
from audit.events import Action, ActorType, Interface
from audit.export import Export, Selection
from audit.readable import UnreadableEventError
from audit.record import Origin, record_about_log
from connections_project.core.commands.arguments import date_or_time
from connections_project.core.commands.base import (
    CommandWithExamples,
    counted,
    given_reason,
    interruptible,
    os_user,
)
from connections_project.core.parsing import parse_uuid

EXAMPLES = """
examples:
  manage.py export_audit_log --output audit.jsonl
  manage.py export_audit_log --since 2026-01-01 --until 2026-02-01 | gzip > january.jsonl.gz
  manage.py export_audit_log --owner kim@example.com --operator me@example.com --reason "Art. 15"

Verify it on any host: python audit/verify_export.py audit.jsonl --public-key KEY
(`manage.py show_public_keys` shows the key). A whole export proves that nothing was changed,
removed or inserted. A part proves that each event in it was sealed as it stands, and that the file
is as it was exported; that nothing was left out rests on the exporter's signature alone.
"""

# Opened by these names it would be written from its beginning, and the summary into it.
STANDARD_OUTPUT = frozenset(map(Path, ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")))


class Command(CommandWithExamples):
    help = "Write the audit log as JSON Lines, with all that is needed to verify it offline."
    examples = EXAMPLES
    unable = 2

    def add_arguments(self, parser: CommandParser) -> None:
        when = "a date, or a time such as 2026-01-01T12:00:00Z; UTC where no zone is given"
        parser.add_argument(
            "--since", type=date_or_time, metavar="TIME", help=f"from then on: {when}"
        )
        parser.add_argument("--until", type=date_or_time, metavar="TIME", help="before then")
        parser.add_argument(
            "--owner", metavar="ID|EMAIL", help="about the things of this user or team"
        )
        parser.add_argument("--subject", type=UUID, metavar="ID", help="about this connection, …")
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="(default: standard output)"
        )
        parser.add_argument("--operator", metavar="EMAIL|ID", help="who exports, for the audit log")
        parser.add_argument("--reason", default="", help="why, for the audit log")

    def handle(
        self,
        *,
        since: datetime | None,
        until: datetime | None,
        owner: str | None,
        subject: UUID | None,
        output: Path | None,
        operator: str | None,
        reason: str,
        **_: Any,
    ) -> None:
        selection = Selection(since, until, _owner(owner), subject)
        reason = given_reason(reason, least=0)
        actor = user_id(operator, is_staff=True) if operator else None
        _audit(selection, operator_id=actor, reason=reason)
        self.write(Export(selection), output)

    def write(self, export: Export, output: Path | None) -> None:
        output = None if output in STANDARD_OUTPUT else output
        # disable=None: a bar on a terminal, none in a pipe.
        lines = tqdm(export.lines(), desc="Exporting", unit=" lines", disable=None, leave=False)
        stopped = "Stopped: what was written is no whole export."
        with interruptible(stopped), written(output, self.stdout) as file:
            for line in lines:
                file.write(line.decode("ascii"))
        if output:
            self.stdout.write(f"Exported {counted(export.events, 'event')} to {output}.")
        if export.unreadable:
            raise UnreadableEventError(export.unreadable)


def _audit(selection: Selection, *, operator_id: UUID | None, reason: str) -> None:
    """Record the export before the first event leaves, so that no interrupted one goes unseen."""
    origin = Origin(ActorType.OPERATOR, operator_id, Interface.COMMAND)
    details = {"selection": selection.as_json(), "os_user": os_user()}
    with transaction.atomic():
        record_about_log(Action.AUDIT_EXPORTED, origin=origin, reason=reason, details=details)


@contextmanager
def written(output: Path | None, stdout: OutputWrapper) -> Iterator[IO[str] | OutputWrapper]:
    """Open what is written to; a file appears under its name only when it is complete.

    Raises:
        CommandError: Code 2: it can't be written.
    """
    if output is None:
        stdout.ending = ""
        with _reader_that_may_leave():
            yield stdout
        return
    try:
        with _opened(output) as file:
            yield file
    except OSError as error:
        raise CommandError(f"{output}: {error.strerror}", returncode=2) from None


def _opened(output: Path) -> AbstractContextManager[IO[str]]:
    """Open a file; only a regular one may be replaced: a device or a FIFO is written to."""
    if output.exists() and not output.is_file():
        return open(os.open(output, os.O_WRONLY), "w")
    # A link stays one: what it leads to is replaced. `Path.resolve` fails at one that has no end.
    return _whole(Path(os.path.realpath(output)))


@contextmanager
def _whole(output: Path) -> Iterator[IO[str]]:
    part = output.with_name(f"{output.name}.part")
    try:
        # It says who did what from where: only its owner may read it.
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            yield file
            # An archive's events are removed from the database next.
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
        _sync(output.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Have a file's name on the disk as well as what is in it (fsync(2))."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _reader_that_may_leave() -> Iterator[None]:
    """Report a pipe whose reader stops reading, as `head` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandError("Nobody read the export to its end.") from None


def _owner(text: str | None) -> UUID | None:
    if text is None:
        return None
    return user_id(text) if "@" in text else _identifier(text)


def _identifier(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise CommandError(f"{text} is neither an id nor an e-mail address.", returncode=2)
    return found
