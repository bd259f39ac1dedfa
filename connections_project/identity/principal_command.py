"""What the commands that make a principal share."""

import getpass
import json
import sys
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections_project.identity.accounts import complaints, create_principal
from connections_project.identity.models import PrincipalType, User

EXAMPLE = "Without a terminal: manage.py … kim@example.com --password-stdin --json < password.txt"


class PrincipalCommand(BaseCommand):
    """Makes a principal; a subclass says of which kind."""

    principal_type: ClassVar[PrincipalType] = PrincipalType.USER
    is_operator: ClassVar[bool] = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = EXAMPLE
        parser.add_argument("email", metavar="EMAIL", help="the address to sign in with")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input's first line instead of asking for it",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *, email: str, password_stdin: bool, json: bool, **_: Any) -> None:
        try:
            user = create_principal(
                email=email,
                password=_password(from_stdin=password_stdin),
                principal_type=self.principal_type,
                is_operator=self.is_operator,
            )
        except ValidationError as error:
            raise CommandError(complaints(error)) from None
        self.stdout.write(_as_json(user) if json else f"Created {user.email} ({user.pk}).")


def _password(*, from_stdin: bool) -> str:
    password = sys.stdin.readline().rstrip("\r\n") if from_stdin else _asked_for()
    if not password:
        raise CommandError("The password is empty.", returncode=2)
    return password


def _asked_for() -> str:
    # Without a terminal getpass would read, and show, whatever comes.
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask at: use --password-stdin.", returncode=2)
    password = getpass.getpass()
    if password != getpass.getpass("Password (again): "):
        raise CommandError("The passwords differ.", returncode=2)
    return password


def _as_json(user: User) -> str:
    return json.dumps(
        {
            "id": str(user.pk),
            "email": user.email,
            "principal_type": user.principal_type,
            "is_staff": user.is_staff,
            "team_id": str(user.own_team.pk),
        }
    )
