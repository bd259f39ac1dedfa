"""`manage.py disconnect_user`: a user goes, and all of the user's own connections with it."""

import json as jsonlib
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit.arguments import person
from connections_project.core.commands.base import (
    CommandWithExamples,
    counted,
    given_reason,
    os_user,
    resumable,
)
from connections_project.core.parsing import render_datetime
from connections_project.identity.models import ApiKey, User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from connections_project.operations.arguments import operator_with_all
from connections_project.operations.disconnect_command import GO_ON
from connections_project.operations.offboarding_plan import (
    OffboardingPlan,
    offboarding_plan,
)
from connections_project.operations.options import Result

EXAMPLES = """
examples:
  manage.py disconnect_user kim@example.com --reason "left the company" --dry-run
  manage.py disconnect_user kim@example.com --reason "left the company" --operator me@example.com
  manage.py disconnect_user kim@example.com --reason "asked for it (Art. 17)" --forget --yes

Social accounts of a team stay with the team, until its last active member goes. API keys of the
user's own team are revoked, unless others are active in it. Others that the user made go on
working, and are listed for somebody to decide (`manage.py revoke_api_key`).
It can be stopped at any time and run again: what is done is passed over.

Exit code 0: all is done. 1: there is no such user, or a connection failed and is named. 2: wrong
use, several users have the address (they are named, with their ids), or the answer was no.
"""


class Command(CommandWithExamples):
    help = (
        "Deactivate a user and disconnect all of the user's own connections of all apps. With "
        "--forget, which is what deleting a user means, nothing that names the person is left."
    )
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the user's address or id")
        parser.add_argument("--reason", required=True, help="why, 1 to 512 characters")
        parser.add_argument("--operator", metavar="EMAIL|ID", help="who says so, for the audit log")
        parser.add_argument("--forget", action="store_true", help="forget the person too, for good")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done")
        parser.add_argument("--yes", action="store_true", help="don't ask")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *, email: str, operator: str | None, **options: Any) -> None:
        user = person(email)
        actor = operator_with_all(operator) if operator else None
        reason = given_reason(options["reason"])
        seen = offboarding_plan(user, forget=options["forget"])
        if options["dry_run"]:
            self.report(user, seen, Result(), options)
            return
        if not options["yes"]:
            self.ask(user, seen, options)
        result = _deactivate(user, seen, reason=reason, actor=actor, forget=options["forget"])
        self.report(user, seen, result, options)
        if result.failures:
            failed = counted(len(result.failures), "connection")
            raise CommandError(f"{failed} could not be disconnected.")

    def ask(self, user: User, seen: OffboardingPlan, options: dict[str, Any]) -> None:
        action = "Forget" if options["forget"] else "Deactivate"
        number = counted(seen.connections, "connection")
        question = f"{action} {user.shown_name} and disconnect {number}?"
        self.require_yes("\n".join([*_in_words(seen), question]), aside=options["json"])

    def report(
        self, user: User, seen: OffboardingPlan, result: Result, options: dict[str, Any]
    ) -> None:
        if options["json"]:
            self.stdout.write(jsonlib.dumps(_as_json(user, seen, result, options)))
            return
        lines = _in_words(seen) if options["dry_run"] else _done(user, seen, result)
        self.stdout.write("\n".join(lines))
        for failure in result.failures:
            self.note(f"FAILED {failure.connection_id}: {failure.detail}")


def _deactivate(
    user: User, seen: OffboardingPlan, *, reason: str, actor: User | None, forget: bool
) -> Result:
    verb = offboarding.forget if forget else offboarding.deactivate
    # disable=None: a bar on a terminal, none in a pipe.
    bar = tqdm(total=seen.connections, desc="Disconnecting", unit="", disable=None, leave=False)
    with bar, resumable(GO_ON):
        return verb(
            user,
            reason=reason,
            origin=command_origin(actor),
            details={"os_user": os_user()},
            on_batch=lambda batch: bar.update(batch.processed),
        )


def _in_words(seen: OffboardingPlan) -> list[str]:
    """Return what would be done, a line for each app that has anything."""
    lines = [
        f"{app}: {counted(radius.connections, 'connection')}, "
        f"{counted(radius.active_schedules, 'active schedule')}, "
        f"{counted(radius.revocations, 'revocation')}"
        for app, radius in seen.leaving.items()
        if radius.connections or radius.revocations
    ]
    if seen.staying:
        accounts = counted(seen.staying, "social account")
        lines.append(f"Staying with teams that have other members: {accounts}.")
    return [*(lines or ["Nothing is connected."]), *_keys(seen)]


def _done(user: User, seen: OffboardingPlan, result: Result) -> list[str]:
    what = "forgotten" if user.is_forgotten else "deactivated"
    return [
        f"{user.pk} is {what}; {counted(result.disconnected, 'connection')} disconnected, "
        f"{counted(result.revocations, 'revocation')} under way.",
        *_keys(seen),
    ]


def _keys(seen: OffboardingPlan) -> list[str]:
    return [
        *_listed("These API keys of the user's own team end:", seen.ending_keys),
        *_listed("These API keys go on working until somebody revokes them:", seen.keys),
    ]


def _listed(title: str, keys: tuple[ApiKey, ...]) -> list[str]:
    named = [f"  {key.prefix} of {key.team.name}{_named(key)}" for key in keys]
    return [title, *named] if named else []


def _named(key: ApiKey) -> str:
    return f" ({key.name})" if key.name else ""


def _as_json(
    user: User, seen: OffboardingPlan, result: Result, options: dict[str, Any]
) -> dict[str, Any]:
    return {
        "user_id": str(user.pk),
        "dry_run": options["dry_run"],
        "is_active": user.is_active,
        "is_forgotten": user.is_forgotten,
        "leaving": {app: asdict(radius) for app, radius in seen.leaving.items()},
        "staying": seen.staying,
        "ending_keys": [_key_as_json(key) for key in seen.ending_keys],
        "keys": [_key_as_json(key) for key in seen.keys],
        "disconnected": result.disconnected,
        "passed_over": result.passed_over,
        "revocations": result.revocations,
        "failed": [
            {"id": str(one.connection_id), "cause": one.cause, "detail": one.detail}
            for one in result.failures
        ],
    }


def _key_as_json(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.pk),
        "prefix": key.prefix,
        "name": key.name,
        "team_id": str(key.team_id),
        "expires_at": render_datetime(key.expires_at) if key.expires_at else None,
    }
