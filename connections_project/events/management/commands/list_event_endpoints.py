"""`manage.py list_event_endpoints`: where the host application is told of what happens."""

import json as jsonlib
from typing import Any

from django.core.management.base import CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.events.models import Endpoint


class Command(CommandWithExamples):
    help = "List the event endpoints, a line each: id, enabled or disabled, types, address."
    examples = """
examples:
  manage.py list_event_endpoints
  manage.py list_event_endpoints --json | jq -r .id
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a line of JSON for each")

    def handle(self, *, json: bool, **_: Any) -> None:
        for one in Endpoint.objects.order_by("pk"):
            self.stdout.write(jsonlib.dumps(_known(one)) if json else _in_words(one))


def _known(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": str(endpoint.pk),
        "url": endpoint.url,
        "types": endpoint.types.split(",") if endpoint.types else [],
        "is_enabled": endpoint.is_enabled,
        "disabled_reason": endpoint.disabled_reason,
    }


def _in_words(endpoint: Endpoint) -> str:
    state = "enabled" if endpoint.is_enabled else "disabled"
    why = f" ({endpoint.disabled_reason})" if endpoint.disabled_reason else ""
    return f"{endpoint.pk} {state} {endpoint.types or 'all'} {endpoint.url}{why}"
