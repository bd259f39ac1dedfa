"""The command that lets an operator in who has lost the authenticator."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand
from connections_project.identity.origins import command_origin
from connections_project.identity.second_factor import (
    NoSuchOperatorError,
    enrolment_as_json,
    enrolment_as_text,
    reset,
)


class Command(ResultCommand):
    help = (
        "Enrol an operator's authenticator app anew; the old one and its sessions are good no "
        "longer. The audit log records it."
    )
    examples = """
examples:
  manage.py reset_totp kim@example.com
  manage.py reset_totp kim@example.com --json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL", help="the operator's address")

    def handle(self, *, email: str, json: bool, **_: Any) -> None:
        try:
            with self.shown_or_undone():
                enrolment = enrolment_as_json(reset(email=email, origin=command_origin(None)))
                text = enrolment_as_text(enrolment, shows=self.stdout.shows)
                self.report(text, enrolment, as_json=json)
        except NoSuchOperatorError:
            raise CommandError(f"No active operator signs in as {email!r}.") from None
