"""The command that makes an operator."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import CommandError, CommandParser

from connections_project.identity.accounts import create_operator
from connections_project.identity.groups import AUDITORS, OPERATORS
from connections_project.identity.models import User
from connections_project.identity.principal_command import PrincipalCommand
from connections_project.identity.second_factor import enrolment_as_json, enrolment_as_text


class Command(PrincipalCommand):
    help = (
        "Make an operator: a person who enters the admin, with every permission or a group's. "
        "Where ADMIN_TOTP_REQUIRED is on, prints what to enrol in an authenticator app, once."
    )
    examples = """
examples:
  manage.py create_operator kim@example.com
  manage.py create_operator lee@example.com --group Auditors --password-stdin < password.txt
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--group", help=f"only with this group's permissions, such as {OPERATORS} or {AUDITORS}"
        )

    def make(self, email: str, password: str, **options: Any) -> tuple[User, dict[str, Any]]:
        group: str | None = options["group"]
        try:
            user, enrolment = create_operator(
                email=email,
                password=password,
                group=group,
                second_factor=settings.ADMIN_TOTP_REQUIRED,
            )
        except Group.DoesNotExist:
            raise CommandError(f"There is no group {group!r}.", returncode=2) from None
        return user, enrolment_as_json(enrolment) if enrolment else {}

    def explain(self, more: dict[str, Any]) -> None:
        if more:
            self.stdout.write(enrolment_as_text(more, shows=self.stdout.shows))
