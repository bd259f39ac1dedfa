"""The command that makes a service account."""

from typing import Any

from django.contrib.auth.models import Permission
from django.core.management.base import CommandParser
from django.db import transaction

from connections_project.identity.models import PrincipalType, User
from connections_project.identity.principal_command import PrincipalCommand

# What a service account may be allowed besides: the option, and the permission's app and name.
PERMISSIONS = {
    "read_events": ("events", "read_events"),
    "act_for_users": ("pages", "act_for_users"),
}


class Command(PrincipalCommand):
    help = "Make a service, which signs in like a person and is never staff."
    examples = """
examples:
  manage.py create_service_account host@example.com --read-events
  manage.py create_service_account host@example.com --act-for-users --password-stdin < password.txt
"""
    principal_type = PrincipalType.SERVICE

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--read-events", action="store_true", help="let it read the feed of events"
        )
        parser.add_argument(
            "--act-for-users",
            action="store_true",
            help="let it open connect sessions for people: it can end and make their connections",
        )

    def make(self, email: str, password: str, **options: Any) -> tuple[User, dict[str, str]]:
        allowed = [one for name, one in PERMISSIONS.items() if options[name]]
        with transaction.atomic():
            user = self.recorded(email, password, permissions=sorted(map(".".join, allowed)))
            for app, name in allowed:
                permission = Permission.objects.get(content_type__app_label=app, codename=name)
                user.user_permissions.add(permission)
        return user, {}
