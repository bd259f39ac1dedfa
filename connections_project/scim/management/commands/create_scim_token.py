"""The command that makes a token for an issuer's directory."""

import json as jsonlib
from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.identity.origins import command_origin
from connections_project.scim.tokens import InvalidTokenRequestError, NewToken, create_token


class Command(CommandWithExamples):
    help = "Make a SCIM token, and print it this once: nobody can see it again."
    examples = """
examples:
  manage.py create_scim_token entra --issuer main
  TOKEN=$(manage.py create_scim_token entra --issuer main)

The token alone goes to standard output, so that it can be kept.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what it is listed and revoked by")
        parser.add_argument(
            "--issuer",
            required=True,
            metavar="TABLE",
            help="whose people it speaks of: main for [issuers.main] of IDENTITY_ISSUERS",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *, name: str, issuer: str, json: bool, **_: Any) -> None:
        try:
            with self.shown_or_undone():
                made = create_token(name=name, issuer=issuer, origin=command_origin(None))
                self._report(made, json=json)
        except InvalidTokenRequestError as error:
            raise CommandError(str(error)) from None

    def _report(self, made: NewToken, *, json: bool) -> None:
        token = made.token
        known = {"name": token.name, "issuer": token.issuer, "token": made.text}
        if not json:
            self.stderr.write(
                f"A SCIM token for the people of {token.issuer}. "
                "Keep it now: it can't be shown again."
            )
        self.stdout.write(jsonlib.dumps(known) if json else made.text)
