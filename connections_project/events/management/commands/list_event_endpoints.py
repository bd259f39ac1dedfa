"""`manage.py list_event_endpoints`: where the host application is told of what happens."""

from typing import Any

from connections_project.core.commands.base import EscapedCommand
from connections_project.events.models import Endpoint


class Command(EscapedCommand):
    help = "List the event endpoints, a line each: id, enabled or disabled, types, address."

    def handle(self, *_: Any, **__: Any) -> None:
        for one in Endpoint.objects.order_by("pk"):
            state = "enabled" if one.is_enabled else "disabled"
            why = f" ({one.disabled_reason})" if one.disabled_reason else ""
            self.stdout.write(f"{one.pk} {state} {one.types or 'all'} {one.url}{why}")
