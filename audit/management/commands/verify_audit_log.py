"""`manage.py verify_audit_log`: is the audit log what was sealed?"""

import argparse
import json as jsonlib
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import Certificate
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit import checkpoints, verify_checkpoints
from audit.arguments import add_accept
from audit.models import Seal, Timestamp
from audit.public_keys import public_key_of
from audit.statements import known_keys
from audit.verify import Finding, Verification
from audit.verify_timestamps import TimestampVerification
from connections_project.conf.values import certificates
from connections_project.core.commands.base import CommandWithExamples, counted, interruptible
from connections_project.core.signing import Keys, by_id

EXAMPLES = """
examples:
  manage.py verify_audit_log                                   with our own keys and checkpoints
  manage.py verify_audit_log --public-key audit.pem --heads /mnt/worm/audit-heads.jsonl
  manage.py verify_audit_log --timestamp-roots tsa-root.pem
  manage.py verify_audit_log --all --json                      everything that is wrong, for scripts

Exit code 0: the log is what was sealed. 1: it is not; the first bad row is named. 2: wrong
use, or it could not be read, as where the database is away.
"""


class Command(CommandWithExamples):
    help = (
        "Read the whole audit log, and name the first row that was changed, removed or inserted "
        "since it was sealed, or a tail that was cut off. Public keys are all that it needs."
    )
    examples = EXAMPLES
    unable = 2
    # How many were compared.
    checkpoints = 0

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--public-key",
            action="append",
            type=_public_key,
            metavar="KEY",
            help="base64 of 32 bytes, or a file with that or PEM; can be given more than once "
            "(default: that of AUDIT_SIGNING_KEY, and AUDIT_PUBLIC_KEYS)",
        )
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="FILE",
            help="checkpoints that were kept outside, each of which must be there "
            "(default: AUDIT_HEADS_FILE)",
        )
        add_accept(parser)
        _add_timestamp_options(parser)
        parser.add_argument("--all", action="store_true", help="name all bad rows")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(
        self,
        *,
        public_key: list[Ed25519PublicKey] | None,
        heads: Path | None,
        accept: list[UUID],
        json: bool,
        **options: Any,
    ) -> None:
        keys = by_id(public_key) if public_key else known_keys()
        reading = Verification(keys=keys, accepted=frozenset(accept))
        dated = TimestampVerification(options["timestamp_roots"], options["known_head"])
        wanted = None if options["all"] else 1
        with interruptible("Stopped: the log was not read to its end."):
            found = list(islice(self.findings(reading, dated, keys, heads), wanted))
        if json:
            beside = {"timestamps": dated.timestamps, "checkpoints": self.checkpoints}
            result = _result(reading, found) | beside
            self.stdout.write(jsonlib.dumps(result, default=str))
        else:
            self.report(reading, dated, found)
        if found:
            raise CommandError(f"The audit log is not what was sealed. {found[0].words}")

    def findings(
        self, reading: Verification, dated: TimestampVerification, keys: Keys, path: Path | None
    ) -> Iterator[Finding]:
        # disable=None: a bar on a terminal, none in a pipe.
        with tqdm(desc="Verifying", unit=" seals", disable=None, leave=False) as bar:
            bar.total = None if bar.disable else Seal.objects.count()
            yield from reading.findings(bar.update)
        if dated.roots:
            yield from dated.findings()
        elif Timestamp.objects.exists():
            self.stderr.write("Without AUDIT_TIMESTAMP_ROOTS no timestamp was verified.")
        yield from self.compared(keys, path)

    def compared(self, keys: Keys, path: Path | None) -> Iterator[Finding]:
        """Compare with checkpoints: those that were given, or our own file."""
        chosen = path or Path(settings.AUDIT_HEADS_FILE)
        try:
            with chosen.open(encoding="utf-8", errors="replace") as lines:
                known = self.counted(checkpoints.read(lines))
                yield from verify_checkpoints.findings(known, keys=keys)
        except OSError as error:
            self.say_missing(path, f"{path}: {error.strerror}")
        else:
            if not self.checkpoints:
                self.say_missing(path, f"{path} has no checkpoint.")

    def counted(self, known: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for signed in known:
            self.checkpoints += 1
            yield signed

    def say_missing(self, given: Path | None, problem: str) -> None:
        """Refuse a file that was given and compares nothing; of our own it is said.

        Raises:
            CommandError: See above (exit code 2).
        """
        if given is not None:
            raise CommandError(problem, returncode=2)
        words = "nobody could see that the tail was cut off."
        self.stderr.write(f"Without checkpoints in {settings.AUDIT_HEADS_FILE} {words}")

    def report(
        self, reading: Verification, dated: TimestampVerification, found: list[Finding]
    ) -> None:
        for finding in found:
            self.stdout.write(f"{finding.kind}: {finding.words}")
        if not found:
            self.stdout.write(
                f"The audit log is what was sealed: {counted(reading.events, 'event')} in "
                f"{counted(reading.seals, 'seal')}. Not sealed yet: {reading.unsealed}."
                f"{_archived_in_words(reading)}{_dated_in_words(dated)}"
            )


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return public_key_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _certificates(text: str) -> tuple[Certificate, ...]:
    try:
        return certificates(Path(text))
    except ValueError:
        raise argparse.ArgumentTypeError("give a PEM file with certificates") from None


def _dated_in_words(dated: TimestampVerification) -> str:
    return f" Verified: {counted(dated.timestamps, 'timestamp')}." if dated.roots else ""


def _archived_in_words(reading: Verification) -> str:
    if not reading.archived:
        return ""
    through = f"seal {reading.archived_through}"
    return f" In archives, up to {through}: {counted(reading.archived, 'event')}."


def _result(reading: Verification, found: list[Finding]) -> dict[str, Any]:
    return {
        "ok": not found,
        "seals": reading.seals,
        "events": reading.events,
        "unsealed": reading.unsealed,
        "archived": reading.archived,
        "findings": [asdict(finding) for finding in found],
    }


def _add_timestamp_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--timestamp-roots",
        type=_certificates,
        default=settings.AUDIT_TIMESTAMP_ROOTS,
        metavar="FILE",
        help="certificates, as PEM, of who has timestamped the log (default: "
        "AUDIT_TIMESTAMP_ROOTS)",
    )
    parser.add_argument(
        "--known-head",
        action="append",
        default=[],
        metavar="HEAD",
        help="the head of a seal that is known to be genuine: up to it, timestamps that are "
        "late or missing are passed over",
    )
