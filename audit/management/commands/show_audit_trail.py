"""`manage.py show_audit_trail`: what the audit log says about one thing."""

import json as jsonlib
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.models import AuditEvent
from audit.people import ids_of
from audit.readable import UnreadableEventError, read, unreadable
from connections_project.core.commands.base import CommandWithExamples
from connections_project.core.parsing import render_datetime


class Command(CommandWithExamples):
    unable = 2
    help = (
        "Show what the audit log says about a connection, a user or anything else that has an id, "
        "oldest first."
    )
    examples = """
examples:
  manage.py show_audit_trail 01890a5d-ac96-774b-bcce-b302099a8057
  manage.py show_audit_trail kim@example.com --json | jq -r .action
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "subject",
            metavar="ID",
            help="what was done something to; of a person, the e-mail address will do",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *, subject: str, json: bool, **_: Any) -> None:
        try:
            ids = ids_of(subject)
        except ValueError as error:
            raise CommandError(f"{subject} is {error}.", returncode=2) from None
        events = read(AuditEvent.objects.filter(subject_id__in=ids).order_by("id"))
        if not events and not json:
            self.stdout.write(f"The audit log has nothing about {subject}.")
        for event in events:
            self.stdout.write(jsonlib.dumps(_known(event)) if json else _line(event))
        if named := [event.pk for event in events if not event.is_readable]:
            raise UnreadableEventError(named)


def _line(event: AuditEvent) -> str:
    if not event.is_readable:
        return unreadable(event.pk)
    actor = f"{event.actor_type} {event.actor_id}" if event.actor_id else event.actor_type
    reason = f", because: {event.reason}" if event.reason else ""
    return (
        f"{render_datetime(event.occurred_at)} {event.action} {event.outcome}, "
        f"by {actor} through {event.interface}{reason}"
    )


def _known(event: AuditEvent) -> dict[str, Any]:
    return {
        "occurred_at": render_datetime(event.occurred_at) if event.is_readable else None,
        "action": event.action,
        "outcome": event.outcome,
        "actor_type": event.actor_type,
        "actor_id": event.actor_id and str(event.actor_id),
        "interface": event.interface,
        "subject_type": event.subject_type,
        "subject_id": str(event.subject_id),
        "reason": event.reason,
        "trace_id": event.trace_id,
        "client_address": event.client_address,
        "details": event.details,
    }
