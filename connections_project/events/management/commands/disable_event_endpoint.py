"""`manage.py disable_event_endpoint`: tell an endpoint nothing more."""

from typing import Any

from django.core.management.base import CommandParser

from connections_project.core.commands.base import given_reason
from connections_project.events.endpoint_command import EndpointCommand
from connections_project.events.endpoints import disable
from connections_project.events.models import Endpoint
from connections_project.identity.origins import command_origin


class Command(EndpointCommand):
    help = "Disable an event endpoint: nothing more is sent to it, nor written for it."
    examples = """
examples:
  manage.py disable_event_endpoint 01890a5d-ac96-774b-bcce-b302099a8057 --reason "moved"
  manage.py disable_event_endpoint 01890a5d-ac96-774b-bcce-b302099a8057 --json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="why, for the audit log")

    def act(self, endpoint: Endpoint, **options: Any) -> None:
        reason = given_reason(options["reason"], least=0)
        changed = disable(endpoint, reason=reason, origin=command_origin(None))
        said = "is disabled" if changed else "was disabled already"
        known = {"id": str(endpoint.pk), "disabled": True, "changed": changed}
        self.report(f"{endpoint.pk} {said}.", known, as_json=options["json"])
