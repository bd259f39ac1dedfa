"""`manage.py follow_audit_log`: the audit log as a feed, for a SIEM's shipper."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from audit import checkpoints, follow
from audit.canonical import written
from audit.events import Action, ActorType, Interface
from audit.readable import UnreadableEventError, unreadable
from audit.record import Origin, record_about_log
from connections_project.core.commands.arguments import seconds
from connections_project.core.commands.base import (
    CommandWithExamples,
    os_user,
    termination_as_interrupt,
)

EXAMPLES = """
examples:
  manage.py follow_audit_log                        everything, and then what comes, until stopped
  manage.py follow_audit_log --after 019aa1b2-…     what comes after the event that was last taken
  manage.py follow_audit_log --once >> audit.jsonl  what there is by now

Each line is a JSON object with the id of its event. Whoever goes on after the last one that was
stored misses nothing, and gets no event twice but those that were written and not stored.
docs/evidence.md ("Feeding a SIEM") has the fields, beside their names in OCSF.
Exit code 0: stopped, or all was written. 1: the reader went away, or AUDIT_HEADS_FILE disagrees
with the log, as where it was begun anew, or a row can't be read: see verify_audit_log. 2: no
sealed event has that id, or the database was away at the start.
"""


class Command(CommandWithExamples):
    help = "Write the audit log to standard output as JSON Lines, as it is sealed."
    examples = EXAMPLES
    unable = 2

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--after", type=UUID, metavar="ID", help="the last event taken")
        parser.add_argument("--once", action="store_true", help="stop where the log ends by now")
        parser.add_argument(
            "--interval", type=seconds, default=1.0, metavar="SECONDS", help="between two looks"
        )

    def handle(self, *, after: UUID | None, once: bool, interval: float, **_: Any) -> None:
        _require_agreement()
        try:
            self.place = follow.place_of(after) if after else follow.BEGINNING
        except follow.UnsealedEventError:
            words = f"No sealed event has the id {after}; one is sealed within a minute."
            raise CommandError(words, returncode=2) from None
        _audit(after)
        self.unreadable: list[UUID] = []
        with _until_stopped():
            self.write_new()
            while not once:
                time.sleep(interval)
                self.try_to_write_new()
        if self.unreadable:
            raise UnreadableEventError(self.unreadable)

    def write_new(self) -> None:
        # Of a log that is begun anew the numbers are behind, and nothing of it would be seen.
        _require_agreement()
        for place, event in follow.sealed_after(self.place):
            self.stdout.write(written(event).decode("ascii"))
            self.place = place
            if event["occurred_at"] is None:
                self.unreadable.append(UUID(event["id"]))
                self.stderr.write(unreadable(event["id"]))
        self.stdout.flush()

    def try_to_write_new(self) -> None:
        """Go on from where it stands as soon as the database is back."""
        try:
            close_old_connections()
            self.write_new()
        except (OperationalError, InterfaceError) as error:
            self.stderr.write(f"The database can't be reached ({type(error).__name__}); trying on.")


def _require_agreement() -> None:
    try:
        checkpoints.require_agreement()
    except checkpoints.DisagreementError as error:
        raise CommandError(f"{error} Nothing more is written: see verify_audit_log.") from None


def _audit(after: UUID | None) -> None:
    """Record that the log is handed out, as an export is."""
    details = {"follows": True, "after": str(after) if after else None, "os_user": os_user()}
    origin = Origin(ActorType.OPERATOR, None, Interface.COMMAND)
    with transaction.atomic():
        record_about_log(Action.AUDIT_EXPORTED, origin=origin, details=details)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """End in silence at Ctrl-C and SIGTERM, and with a word where nobody reads any more."""
    try:
        with termination_as_interrupt():
            yield
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandError("Nobody reads the log any more.") from None
