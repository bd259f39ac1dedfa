"""`manage.py inspect_connection`: everything that an operator may know of one connection."""

import json as jsonlib
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.admin.formatting import NOTHING
from connections_project.connections.registry import find_connection
from connections_project.core.commands.base import CommandWithExamples
from connections_project.core.parsing import parse_uuid
from connections_project.operations.inspection import inspect


class Command(CommandWithExamples):
    unable = 2
    help = (
        "Show everything that is known of a connection of any app: facts, owner, platform, shared "
        "grant, refresh under way, revocations, schedules, and its audit events. No secret "
        "is among it. An unknown id gives exit code 1, a database that is away 2."
    )
    examples = """
examples:
  manage.py inspect_connection 01890a5d-ac96-774b-bcce-b302099a8057
  manage.py inspect_connection 01890a5d-ac96-774b-bcce-b302099a8057 --json | jq .revocations
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("connection_id", metavar="ID", help="a connection's, of any app")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, connection_id: str, json: bool, **_: Any) -> None:
        wanted = parse_uuid(connection_id)
        connection = find_connection(wanted) if wanted else None
        if connection is None:
            raise CommandError(f"There is no connection {connection_id}.")
        known = inspect(connection)
        if json:
            self.stdout.write(jsonlib.dumps(known, indent=2))
            return
        for line in _in_words(known):
            self.stdout.write(line)


def _in_words(known: dict[str, Any]) -> Iterator[str]:
    """Write each part under its name; what is empty is said to be so, and not left out."""
    for hint in known["attention"]:
        yield f"{'URGENT' if hint['is_urgent'] else 'Note'}: {hint['text']}"
    for part, facts in known.items():
        if part not in {"attention", "trail", "trail_is_cut"}:
            yield f"\n{_label(part)}"
            yield from _lines(facts)
    yield "\nTrail, oldest first"
    if known["trail_is_cut"]:
        yield f"  … `manage.py show_audit_trail {known['connection']['id']}` shows what was before"
    yield from (f"  {_event(event)}" for event in known["trail"])


def _lines(facts: Any) -> Iterator[str]:
    if not facts:
        yield "  none"
    match facts:
        case dict() if facts:
            width = max(len(name) for name in facts)
            for name, value in facts.items():
                yield f"  {_label(name):<{width}}  {_value(value)}"
        case list():
            for one in facts:
                yield "  " + ", ".join(f"{_label(name)}: {_value(one[name])}" for name in one)


def _event(event: dict[str, Any]) -> str:
    reason = f", because: {event['reason']}" if event["reason"] else ""
    details = ", ".join(f"{name} {_value(value)}" for name, value in event["details"].items())
    return (
        f"{_value(event['when'])} {event['action']} {event['outcome']}, by {event['actor']} "
        f"through {event['interface']}{reason}{f' ({details})' if details else ''}"
    )


def _value(value: Any) -> str:
    match value:
        case None | "":
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{_label(name)} {_value(one)}" for name, one in value.items())
        case list():
            return ", ".join(map(_value, value)) or NOTHING
    return str(value)


def _label(name: str) -> str:
    return name.replace("_", " ")
