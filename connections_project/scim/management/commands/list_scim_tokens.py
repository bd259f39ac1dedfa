"""The command that lists directories' tokens."""

import json as jsonlib
from typing import Any

from django.core.management.base import CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.core.parsing import render_datetime
from connections_project.scim.models import ScimToken
from connections_project.scim.tokens import listed_tokens


class Command(CommandWithExamples):
    help = "List the SCIM tokens that are good, the newest first. No token is ever shown again."
    examples = """
examples:
  manage.py list_scim_tokens
  manage.py list_scim_tokens --all --json | jq -r .name
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="revoked ones too")
        parser.add_argument("--json", action="store_true", help="print a line of JSON for each")

    def handle(self, *, json: bool, **options: Any) -> None:
        for token in listed_tokens(revoked=options["all"]).iterator():
            self.stdout.write(jsonlib.dumps(_known(token)) if json else _in_words(token))


def _known(token: ScimToken) -> dict[str, Any]:
    times = ("created_at", "last_used_at", "revoked_at")
    return {
        "name": token.name,
        "prefix": token.prefix,
        "issuer": token.issuer,
        **{
            name: time and render_datetime(time)
            for name in times
            for time in [getattr(token, name)]
        },
    }


def _in_words(token: ScimToken) -> str:
    used = render_datetime(token.last_used_at) if token.last_used_at else "never"
    ended = f", revoked {render_datetime(token.revoked_at)}" if token.revoked_at else ""
    return f"{token.name}  {token.issuer}  {token.prefix}  used {used}{ended}"
