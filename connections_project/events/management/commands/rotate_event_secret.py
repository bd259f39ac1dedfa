"""`manage.py rotate_event_secret`: give an endpoint a new secret."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.events.endpoint_command import EndpointCommand, as_json
from connections_project.events.endpoints import StillRotatingError, rotate_secret
from connections_project.events.models import Endpoint
from connections_project.identity.origins import command_origin


class Command(EndpointCommand):
    help = (
        "Give an event endpoint a new secret, and print it this once. The old one signs beside it "
        "for 24 hours; until then it is not rotated again unless that is forced."
    )
    examples = """
examples:
  SECRET=$(manage.py rotate_event_secret 01890a5d-ac96-774b-bcce-b302099a8057)
  manage.py rotate_event_secret 01890a5d-ac96-774b-bcce-b302099a8057 --force --json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--force",
            action="store_true",
            help="rotate although the secret before the present one still signs: it ends at once",
        )

    def act(self, endpoint: Endpoint, **options: Any) -> None:
        try:
            with self.shown_or_undone():
                secret = rotate_secret(
                    endpoint, origin=command_origin(None), force=options["force"]
                )
                self.stdout.write(as_json(endpoint, secret) if options["json"] else secret)
        except StillRotatingError as error:
            said = f"Not rotated: {error}. Say --force to rotate all the same."
            raise CommandError(said) from None
