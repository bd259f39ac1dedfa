"""`manage.py create_event_endpoint`: tell the host application of what happens."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.events.endpoint_command import as_json
from connections_project.events.endpoints import InvalidEndpointError, create
from connections_project.events.models import Endpoint
from connections_project.events.types import EventType, UnknownTypeError
from connections_project.identity.origins import command_origin


class Command(CommandWithExamples):
    help = "Make an event endpoint, and print its secret this once: nobody can see it again."
    examples = """
examples:
  manage.py create_event_endpoint https://app.example.com/events
  manage.py create_event_endpoint https://app.example.com/events \\
      --types connection.disconnected,connection.needs_attention --json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "url", metavar="URL", help="https; http in EVENT_ALLOWED_NETWORKS alone"
        )
        known = f"of {', '.join(EventType.values)}; all without it"
        parser.add_argument("--types", default="", metavar="TYPE,…", help=known)
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *, url: str, types: str, json: bool, **_: Any) -> None:
        try:
            with self.shown_or_undone():
                made = create(url=url, types=types, origin=command_origin(None))
                self._report(*made, json=json)
        except UnknownTypeError as error:
            raise CommandError(f"no such type of event: {error}", returncode=2) from None
        except InvalidEndpointError as error:
            raise CommandError(str(error), returncode=2) from None

    def _report(self, endpoint: Endpoint, secret: str, *, json: bool) -> None:
        if json:
            self.stdout.write(as_json(endpoint, secret))
            return
        self.stderr.write(
            f"Event endpoint {endpoint.pk} for {endpoint.types or 'all types'}. "
            "Keep the secret now: it can't be shown again."
        )
        self.stdout.write(secret)
