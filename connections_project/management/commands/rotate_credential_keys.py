"""`manage.py rotate_credential_keys`."""

import argparse
import json
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from connections_project.core.commands.base import CommandWithExamples, counted
from connections_project.management.credential_rotation import (
    Column,
    Outcome,
    Row,
    columns,
    rotate_row,
    rows,
)

EXAMPLES = """
how to change the key:
  1. put a new key in front, CREDENTIAL_KEYS=new,old, and restart every process
  2. manage.py rotate_credential_keys
  3. when it ends with exit code 0, drop the old key: CREDENTIAL_KEYS=new

examples:
  manage.py rotate_credential_keys --dry-run     say how much is still under an old key
  manage.py rotate_credential_keys --batch-size 2000 --json

It can be broken off and started again: what is done is passed over. Rows that no key opens are
named at the end, left as they are, and make the exit code 1. Where no key opens any row, that is
said once.
"""


class Command(CommandWithExamples):
    help = "Encrypt all stored credentials anew under the newest of CREDENTIAL_KEYS."

    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch-size", type=_positive, default=500, metavar="N", help="rows read at a time"
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *, batch_size: int, dry_run: bool, **options: Any) -> None:
        tally = _Tally()
        tally.add_pass(batch_size, dry_run=dry_run)
        # A disconnect moves a ciphertext to its revocation job, perhaps behind our back to a
        # table that was passed already. A pass that finds nothing proves that none is left.
        while tally.last_rotated and not dry_run:
            tally.add_pass(batch_size, dry_run=False)
        self.stdout.write(tally.as_json(dry_run) if options["json"] else tally.as_text(dry_run))
        if tally.nothing_fits:
            raise CommandError(tally.nothing_fits, returncode=1)
        if tally.unreadable:
            raise CommandError("some rows can't be read with any of CREDENTIAL_KEYS", returncode=1)


class _Tally:
    """What was found, over all passes."""

    def __init__(self) -> None:
        self.rotated = self.last_rotated = self.current = 0
        self.unreadable: list[Row] = []

    def add_pass(self, batch_size: int, *, dry_run: bool) -> None:
        self.last_rotated, self.current, self.unreadable = 0, 0, []
        for column in columns():
            for row in _shown(column, batch_size):
                self._add(row, rotate_row(row, dry_run=dry_run))
        self.rotated += self.last_rotated

    def _add(self, row: Row, outcome: Outcome) -> None:
        self.last_rotated += outcome == "rotated"
        self.current += outcome == "current"
        if outcome == "unreadable":
            self.unreadable.append(row)

    @property
    def nothing_fits(self) -> str:
        """Say that the keys are wrong, rather than rows; empty where any row could be read."""
        if not self.unreadable or self.rotated or self.current:
            return ""
        rows = counted(len(self.unreadable), "stored credential")
        return f"no key of CREDENTIAL_KEYS reads any of the {rows}: one is missing, or is wrong"

    def as_json(self, dry_run: bool) -> str:
        named = [{"column": row.column.label, "id": str(row.pk)} for row in self.unreadable]
        counts = {"rotated": self.rotated, "current": self.current, "unreadable": named}
        return json.dumps({"dry_run": dry_run, **counts})

    def as_text(self, dry_run: bool) -> str:
        verb = "would be rotated" if dry_run else "rotated"
        lines = [f"{self.rotated} {verb}; {self.current} under the newest key now"]
        if self.nothing_fits:
            return lines[0]
        lines += [f"unreadable: {row.column.label} {row.pk}" for row in self.unreadable]
        return "\n".join(lines)


def _shown(column: Column, batch_size: int) -> "tqdm[Row]":
    found = rows(column, batch_size=batch_size)
    # disable=None: a bar on a terminal, nothing in a pipe.
    return tqdm(found, total=column.count(), desc=column.label, file=sys.stderr, disable=None)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
