"""The command that lists API keys."""

import json as jsonlib
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.core.parsing import render_datetime
from connections_project.identity.arguments import team_id
from connections_project.identity.keys import listed_keys
from connections_project.identity.models import ApiKey


class Command(CommandWithExamples):
    help = "List the API keys that are good, the newest first. No key itself is ever shown again."
    examples = """
examples:
  manage.py list_api_keys --team 01890a5d-ac96-774b-bcce-b302099a8057
  manage.py list_api_keys --all --json | jq -r .prefix
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", metavar="ID", type=team_id, help="only this team's")
        parser.add_argument("--all", action="store_true", help="revoked and expired ones too")
        parser.add_argument("--json", action="store_true", help="print a line of JSON for each")

    def handle(self, *, team: UUID | None, json: bool, **options: Any) -> None:
        for key in listed_keys(team=team, ended=options["all"]).iterator():
            self.stdout.write(jsonlib.dumps(_known(key)) if json else _in_words(key))


def _known(key: ApiKey) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    return {
        "id": str(key.pk),
        "prefix": key.prefix,
        "name": key.name,
        "team_id": str(key.team_id),
        "team_name": key.team.name,
        "scopes": key.scopes,
        **{name: time and render_datetime(time) for name in times for time in [getattr(key, name)]},
    }


def _in_words(key: ApiKey) -> str:
    used = render_datetime(key.last_used_at) if key.last_used_at else "never"
    ended = f", revoked {render_datetime(key.revoked_at)}" if key.revoked_at else ""
    until = f", until {render_datetime(key.expires_at)}" if key.expires_at else ""
    scopes = ",".join(key.scopes)
    return f"{key.prefix}  {scopes}  {key.team.name}  {key.name}  used {used}{until}{ended}"
