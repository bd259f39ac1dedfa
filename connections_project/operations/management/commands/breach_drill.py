"""`manage.py breach_drill`: everything that a breach at a platform asks for, in one command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit.readable import UnreadableEventError
from audit.record import Origin
from audit.seal import seal_all
from connections_project.core.commands.arguments import seconds
from connections_project.core.commands.base import (
    CommandWithExamples,
    counted,
    given_reason,
    os_user,
    resumable,
)
from connections_project.identity.origins import command_origin
from connections_project.operations import breach, breach_report
from connections_project.operations.arguments import operator_with_all
from connections_project.operations.breach import Breach, Waiting
from connections_project.platforms.registry import UnknownPlatformError

EXAMPLES = """
examples:
  manage.py breach_drill sandbox --reason "drill of 1 May"
  manage.py breach_drill schwab --for-real --reason "breach at Schwab, ticket 4711" \\
      --operator me@example.com --output /srv/incidents

It suspends the platform, ends every connection there (schedules are cancelled, kept tokens erased),
watches the revocations to their end, tells the host application, seals and exports the audit log,
and writes one signed report. Killed at any point, it is run again and goes on: what is done is
passed over, and the report is that of the whole.

Without --for-real the platform must be a sandbox on this machine, which can be used again
afterwards. With it the platform stays suspended until `manage.py resume_platform`.

Exit code 0: all is over. 1: something is left, and named; run it again. 2: wrong use, or the answer
was no. 130: stopped.
"""
GO_ON = "Run it again: it goes on where it was."
TELL_SECONDS = 60.0


class Command(CommandWithExamples):
    help = "Suspend a platform, end all connections there, see it through, and prove it."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the platform's slug in the catalogue")
        parser.add_argument("--reason", required=True, help="why, 1 to 512 characters")
        parser.add_argument("--for-real", action="store_true", help="a platform that is no sandbox")
        parser.add_argument("--operator", metavar="EMAIL|ID", help="who says so, for the audit log")
        parser.add_argument(
            "--output",
            type=Path,
            default=Path(),
            metavar="FOLDER",
            help="where the report goes, into a folder of its own",
        )
        parser.add_argument(
            "--wait",
            type=_seconds,
            metavar="SECONDS",
            help="how long revocations are watched (default: until they are given up)",
        )
        parser.add_argument("--yes", action="store_true", help="don't ask")
        parser.add_argument("--json", action="store_true", help="print the report's claims as JSON")

    def handle(self, *, slug: str, operator: str | None, **options: Any) -> None:
        reason = given_reason(options["reason"])
        self._refuse_a_slip(slug, for_real=options["for_real"])
        origin = command_origin(operator_with_all(operator) if operator else None)
        if not options["yes"]:
            self._ask(slug, as_json=options["json"])
        with resumable(GO_ON):
            self._see_through(slug, reason, origin, options)

    def _see_through(self, slug: str, reason: str, origin: Origin, options: dict[str, Any]) -> None:
        details = {"os_user": os_user()}
        found = breach.begin(
            slug, reason=reason, for_real=options["for_real"], origin=origin, details=details
        )
        self.note(f"{slug} is suspended.")
        self._end_all(found, origin, details)
        wait = options["wait"]
        self.note("Watching revocations, and telling the host application.")
        left = breach.watch(
            found,
            seconds=settings.REVOCATION_GIVE_UP_SECONDS if wait is None else wait,
            tell_seconds=TELL_SECONDS if wait is None else min(wait, TELL_SECONDS),
        )
        folder = self._prove(found, options["output"])
        self._conclude(found, left, folder, origin, as_json=options["json"])

    def _end_all(self, found: Breach, origin: Origin, details: dict[str, Any]) -> None:
        """End what is there, and what a flow that was under way has brought in meanwhile."""
        total = breach.waiting(found).connections
        # disable=None: a bar on a terminal, none in a pipe.
        bar = tqdm(total=total, desc="Disconnecting", unit="", disable=None, leave=False)
        with bar:
            result = breach.end_all(
                found,
                origin=origin,
                details=details,
                on_batch=lambda batch: bar.update(batch.processed),
            )
        self.note(f"{counted(result.disconnected, 'connection')} ended now.")
        for failure in result.failures:
            self.stderr.write(f"FAILED {failure.connection_id}: {failure.detail}")

    def _prove(self, found: Breach, output: Path) -> Path:
        """Seal and export the audit log since it began, and sign the report."""
        folder = output / f"breach-{found.slug}-{found.started_at:%Y%m%dT%H%M%SZ}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._naming_unreadable():
            for _ in seal_all():
                pass
        breach_report.write_owners(found, folder / "owners.jsonl")
        export = folder / "audit.jsonl"
        since = (found.recorded_at - timedelta(seconds=1)).isoformat()
        written = (f"--since={since}", f"--output={export}", f"--reason={found.reason}")
        with self._naming_unreadable():
            call_command("export_audit_log", *written, stdout=StringIO())
        report = breach_report.issue_report(found, export)
        (folder / "report.jws").write_text(f"{report}\n", "ascii")
        claims = json.dumps(breach_report.claims_of(report), indent=2)
        (folder / "report.json").write_text(f"{claims}\n", "utf-8")
        return folder

    @contextmanager
    def _naming_unreadable(self) -> Iterator[None]:
        """Go on where all was done but for events that can't be read."""
        try:
            yield
        except UnreadableEventError as error:
            self.stderr.write(str(error))

    def _conclude(
        self, found: Breach, left: Waiting, folder: Path, origin: Origin, *, as_json: bool
    ) -> None:
        claims = json.loads((folder / "report.json").read_text("utf-8"))
        is_over = left.is_over
        if is_over:
            facts = {name: claims[name] for name in ("connections", "revocations", "events")}
            breach.finish(found, origin=origin, details=facts)
        self.stdout.write(json.dumps({**claims, "folder": str(folder)}) if as_json else str(folder))
        if not is_over:
            parts = (
                counted(left.connections, "connection"),
                counted(left.revocations, "revocation"),
                counted(left.deliveries, "event"),
            )
            raise CommandError(f"Not over yet: {', '.join(parts)}. {GO_ON}")

    def _refuse_a_slip(self, slug: str, *, for_real: bool) -> None:
        try:
            is_sandbox = breach.is_on_this_machine(slug)
        except UnknownPlatformError:
            raise CommandError(f"The catalogue has no platform {slug!r}.", returncode=2) from None
        if not is_sandbox and not for_real:
            words = f"{slug} is no sandbox on this machine: say --for-real to end what is there."
            raise CommandError(words, returncode=2)

    def _ask(self, slug: str, *, as_json: bool) -> None:
        number = sum(
            one.unfinished(rows, erase_tokens=True).count() for one, rows in breach.rows_at(slug)
        )
        question = f"Suspend {slug} and end {counted(number, 'connection')} there?"
        self.require_yes(question, aside=as_json)


def _seconds(text: str) -> float:
    """Read how long to wait, which may be not at all."""
    return 0.0 if text.strip() == "0" else seconds(text)


# argparse names the type in its message.
_seconds.__name__ = seconds.__name__
