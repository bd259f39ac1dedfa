"""What the commands that make a principal share."""

import getpass
import sys
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from audit.events import Action
from connections_project.core.commands.base import ResultCommand
from connections_project.identity.accounts import complaints, create_principal
from connections_project.identity.models import PrincipalType, User
from connections_project.identity.origins import command_origin
from connections_project.identity.records import record_about_user


class PrincipalCommand(ResultCommand):
    """Makes a principal; a subclass says of which kind."""

    principal_type: ClassVar[PrincipalType] = PrincipalType.USER

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL", help="the address to sign in with")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input's first line instead of asking for it",
        )

    def handle(self, *, email: str, password_stdin: bool, json: bool, **options: Any) -> None:
        password = _password(from_stdin=password_stdin)
        try:
            with self.shown_or_undone():
                made = self.make(email, password, **options)
                self._show(*made, as_json=json)
        except ValidationError as error:
            raise CommandError(complaints(error)) from None

    def _show(self, user: User, more: dict[str, Any], *, as_json: bool) -> None:
        created = f"Created {user.email} ({user.pk})."
        self.report(created, _known(user) | more, as_json=as_json)
        if not as_json:
            self.explain(more)

    def make(self, email: str, password: str, **_: Any) -> tuple[User, dict[str, Any]]:
        """Create the principal; return what else is to be shown of it, once and here only.

        Raises:
            django.core.exceptions.ValidationError: It can't be made.
        """
        return self.recorded(email, password), {}

    def recorded(self, email: str, password: str, **details: Any) -> User:
        """Create the principal, and say so in the audit log, in one transaction."""
        kind = self.principal_type
        with transaction.atomic():
            user = create_principal(email=email, password=password, principal_type=kind)
            record_about_user(
                Action.USER_PROVISIONED,
                user.pk,
                origin=command_origin(None),
                details={"principal_type": kind, **details},
            )
        return user

    def explain(self, more: dict[str, Any]) -> None:
        """Return the text of what else is shown."""


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


def _known(user: User) -> dict[str, Any]:
    return {
        "id": str(user.pk),
        "email": user.email,
        "principal_type": user.principal_type,
        "is_staff": user.is_staff,
        "team_id": str(user.own_team.pk),
    }
