"""`manage.py replay_events`: deliver once more what an endpoint was told, or has missed."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.arguments import date_or_time
from connections_project.core.commands.base import ResultCommand, counted
from connections_project.events.endpoint_command import endpoint_of
from connections_project.events.replay import replay
from connections_project.events.types import UnknownTypeError, parse_types
from connections_project.identity.origins import command_origin


class Command(ResultCommand):
    help = (
        "Have the events of a span delivered to an endpoint once more, in their order and with "
        "the same webhook-id. Workers or run_background send them."
    )
    examples = """
examples:
  manage.py replay_events --endpoint 0198… --since 2026-01-31T00:00:00Z
  manage.py replay_events --endpoint 0198… --since 2026-01-31T00:00:00Z \\
      --until 2026-02-01T00:00:00Z --type connection.disconnected
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        since = "events from then on, by when they happened; UTC where no zone is given"
        parser.add_argument(
            "--endpoint", required=True, metavar="ID", help="as list_event_endpoints shows it"
        )
        parser.add_argument("--since", required=True, type=date_or_time, metavar="TIME", help=since)
        parser.add_argument(
            "--until", type=date_or_time, metavar="TIME", help="before then (default: now)"
        )
        parser.add_argument("--type", default="", metavar="TYPE,…", help="of these types alone")

    def handle(self, *, endpoint: str, since: datetime, type: str, **options: Any) -> None:  # noqa: A002 - the option's name.
        found = endpoint_of(endpoint)
        try:
            types = parse_types(type)
        except UnknownTypeError as error:
            raise CommandError(f"no such type of event: {error}", returncode=2) from None
        number = replay(
            found, since=since, until=options["until"], types=types, origin=command_origin(None)
        )
        due = {"endpoint": str(found.pk), "due_again": number}
        self.report(f"{counted(number, 'event')} due again.", due, as_json=options["json"])
