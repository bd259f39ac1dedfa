"""What the commands about one endpoint share."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand
from connections_project.core.parsing import parse_uuid
from connections_project.events.models import Endpoint


def endpoint_of(text: str) -> Endpoint:
    """Return the endpoint of an id.

    Raises:
        CommandError: There is none; the message names the id.
    """
    found = parse_uuid(text)
    endpoint = Endpoint.objects.filter(pk=found).first() if found else None
    if endpoint is None:
        raise CommandError(f"no such event endpoint: {text}")
    return endpoint


def as_json(endpoint: Endpoint, secret: str) -> str:
    """Write what is told of an endpoint once, with its secret."""
    types = endpoint.types.split(",") if endpoint.types else []
    known = {"id": str(endpoint.pk), "url": endpoint.url, "types": types, "secret": secret}
    return json.dumps(known)


class EndpointCommand(ResultCommand):
    """A command that does one thing to one endpoint."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", metavar="ID", help="as list_event_endpoints shows it")

    def handle(self, *, id: str, **options: Any) -> None:  # noqa: A002 - the argument's name.
        self.act(endpoint_of(id), **options)

    def act(self, endpoint: Endpoint, **options: Any) -> None:
        raise NotImplementedError
