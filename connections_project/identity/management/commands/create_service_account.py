"""The command that makes a service account."""

import time
from typing import Any

from django.contrib.auth.models import Permission
from django.core.management.base import CommandParser
from django.db import transaction

from connections_project.identity.models import PrincipalType, User
from connections_project.identity.principal_command import PrincipalCommand

READ_EVENTS = "read_events"
# For so long other processes may believe that nobody reads events (events/audience.py).
KNOWN_AFTER_SECONDS = 1.0


class Command(PrincipalCommand):
    help = "Make a service, which signs in like a person and is never staff."
    principal_type = PrincipalType.SERVICE

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--read-events", action="store_true", help="let it read the feed of events"
        )

    def make(self, email: str, password: str, **options: Any) -> tuple[User, dict[str, str]]:
        with transaction.atomic():
            user, more = super().make(email, password)
            if options["read_events"]:
                user.user_permissions.add(_permission())
        if options["read_events"]:
            time.sleep(KNOWN_AFTER_SECONDS)
        return user, more


def _permission() -> Permission:
    return Permission.objects.get(content_type__app_label="events", codename=READ_EVENTS)
