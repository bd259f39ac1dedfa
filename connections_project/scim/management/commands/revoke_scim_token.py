"""The command that revokes a directory's token."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand
from connections_project.identity.origins import command_origin
from connections_project.scim.tokens import TokenNotFoundError, revoke_token


class Command(ResultCommand):
    help = "Revoke a SCIM token at once and for good."
    examples = """
examples:
  manage.py revoke_scim_token entra
  manage.py revoke_scim_token entra --json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="as list_scim_tokens shows it")

    def handle(self, *, name: str, json: bool, **_: Any) -> None:
        try:
            token = revoke_token(name=name, origin=command_origin(None))
        except TokenNotFoundError:
            raise CommandError(f"no such token: {name}") from None
        known = {"name": token.name, "prefix": token.prefix}
        self.report(f"Revoked {token.name} ({token.prefix}).", known, as_json=json)
