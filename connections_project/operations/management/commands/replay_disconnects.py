"""`manage.py replay_disconnects`: after a restore, end what had been ended since the backup."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit.arguments import add_accept, find_person
from audit.export import exported_events
from audit.public_keys import as_text
from audit.record import Origin
from audit.statements import known_keys
from audit.verify_export import Reading, TamperedError
from connections_project.connections.registry import connection_type
from connections_project.core.commands.base import (
    CommandWithExamples,
    given_reason,
    os_user,
    resumable,
)
from connections_project.identity.origins import command_origin
from connections_project.operations.disconnect_command import GO_ON
from connections_project.operations.options import Result
from connections_project.operations.replay import Plan, Replay, planned
from connections_project.operations.replay_history import ReplayHistory, replay_histories

EXAMPLES = """
examples:
  manage.py replay_disconnects audit.jsonl --dry-run
  manage.py replay_disconnects audit.jsonl --reason "Restored the backup of 1 May" --yes
  manage.py replay_disconnects audit.jsonl --reason INC-7 --operator me@example.com --yes --json

EXPORT is what `manage.py export_audit_log --output audit.jsonl` wrote before the database was lost;
one that reaches back to the backup (--since) is enough. Run this before anybody may use the
restored database. The tokens that the backup brought back are erased, and revoked at platforms once
more; what a platform had ended, or called dead, is so again, with the profiles erased that it had
asked for, and without a revocation. What is over already, and what was connected anew after its
end, is left alone: the command may be run again at any time. What had been deleted from its owner's
sight is shown again, as disconnected.

exit codes: 0 all done; 1 some could not be ended, or are unknown here (named); 2 wrong use
"""
WRONG_USE = 2


class Command(CommandWithExamples):
    help = (
        "Re-apply the disconnects of an exported audit log, and what platforms have ended, to a "
        "database that was restored from before them."
    )
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("export", type=Path, metavar="EXPORT", help="the exported audit log")
        parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit log")
        parser.add_argument("--operator", metavar="EMAIL|ID", help="who does it, for the audit log")
        add_accept(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--yes", action="store_true", help="don't ask")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(
        self,
        *,
        export: Path,
        reason: str,
        operator: str | None,
        accept: list[UUID],
        dry_run: bool,
        yes: bool,
        json: bool,
        **_: Any,
    ) -> None:
        histories = _read(export, accept)
        plan = planned(histories)
        result = Result()
        if not dry_run:
            replay = Replay(
                histories, given_reason(reason), _origin(operator, plan), {"os_user": os_user()}
            )
            if plan.count:
                if not yes:
                    question = f"{plan.count} connections will be ended again. Go on?"
                    self.require_yes(question, aside=True, refusal="Nothing was changed.")
                result = _run(replay, plan)
        self._report(_summary(histories, plan, result, dry_run=dry_run), as_json=json)
        if plan.unknown or result.failures:
            raise CommandError("Some could not be ended; they are named above.")

    def _report(self, summary: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(summary, default=str))
            return
        verb = "would be ended" if summary["dry_run"] else "ended"
        self.stdout.write(
            f"{summary['recorded']} endings in the export; {summary['disconnected']} {verb}, "
            f"{summary['already_over']} over already, {len(summary['connected_anew'])} connected "
            f"anew, {len(summary['unknown'])} unknown here, {len(summary['failures'])} failed."
        )
        for key in summary["connected_anew"]:
            self.stdout.write(f"{key}: left alone, it was connected anew")
        for key in summary["unknown"]:
            self.stderr.write(f"{key}: unknown here")
        for failure in summary["failures"]:
            self.stderr.write(f"{failure['connection_id']}: {failure['detail']}")


def _read(export: Path, accepted: list[UUID]) -> Mapping[UUID, ReplayHistory]:
    """Verify an export with our own public keys, and return its histories."""
    keys = [as_text(key) for key in known_keys().values()]
    try:
        with export.open("rb") as lines:
            Reading(keys, (), [*map(str, accepted)]).read(lines)
        with export.open("rb") as lines:
            return replay_histories(
                exported_events(tqdm(lines, desc="Reading", disable=None, leave=False))
            )
    except OSError as error:
        raise CommandError(f"{export}: {error.strerror}", returncode=WRONG_USE) from None
    except TamperedError as error:
        raise CommandError(f"{export} can't be trusted. {error}", returncode=WRONG_USE) from None


def _origin(email: str | None, plan: Plan) -> Origin:
    if email is None:
        return command_origin(None)
    operator = find_person(email, is_staff=True)
    apps = {way.app for way in plan.due}
    if operator is None or not all(
        connection_type(app).may_force_disconnect(operator) for app in apps
    ):
        raise CommandError(f"{email} may not disconnect these.", returncode=WRONG_USE)
    return command_origin(operator)


def _run(replay: Replay, plan: Plan) -> Result:
    with tqdm(total=plan.count, desc="Ending", disable=None, leave=False) as bar, resumable(GO_ON):
        return replay.run(plan, on_batch=lambda done: bar.update(done.processed))


def _summary(
    histories: Mapping[UUID, ReplayHistory], plan: Plan, result: Result, *, dry_run: bool
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "recorded": len(histories),
        "disconnected": plan.count if dry_run else result.disconnected,
        "already_over": plan.over + result.passed_over,
        "connected_anew": plan.anew,
        "unknown": plan.unknown,
        "failures": [asdict(failure) for failure in result.failures],
        "revocations": result.revocations,
    }
