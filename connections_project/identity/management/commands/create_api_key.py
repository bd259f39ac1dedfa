"""The command that makes an API key for a team."""

import json as jsonlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.arguments import date_or_time
from connections_project.core.commands.base import CommandWithExamples
from connections_project.core.parsing import render_datetime
from connections_project.identity.arguments import team_id
from connections_project.identity.keys import InvalidKeyRequestError, NewKey, create_key
from connections_project.identity.models import Scope, Team
from connections_project.identity.origins import command_origin


class Command(CommandWithExamples):
    help = "Make an API key for a team, and print it this once: nobody can see it again."
    examples = """
examples:
  manage.py create_api_key 01890a5d-ac96-774b-bcce-b302099a8057 --scopes social:read \\
      --expires-at 2027-01-01T00:00:00Z
  KEY=$(manage.py create_api_key "$TEAM_ID" --scopes social:read,social:publish)

The key alone goes to standard output, so that it can be kept.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team_id", metavar="TEAM_ID", type=team_id, help="whose key it is")
        parser.add_argument(
            "--scopes",
            required=True,
            metavar="SCOPE,…",
            help=f"what it may do, of {', '.join(Scope.values)}",
        )
        parser.add_argument("--name", default="", help="what the team calls it")
        parser.add_argument(
            "--expires-at",
            type=date_or_time,
            metavar="TIME",
            help="when it ends, such as 2027-01-01T00:00:00Z (UTC unless it says otherwise)",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(
        self,
        *,
        team_id: UUID,
        scopes: str,
        name: str,
        expires_at: datetime | None,
        json: bool,
        **_: Any,
    ) -> None:
        team = Team.objects.filter(pk=team_id).first()
        if team is None:
            raise CommandError(f"no such team: {team_id}")
        try:
            with self.shown_or_undone():
                made = create_key(
                    team=team,
                    scopes=[scope.strip() for scope in scopes.split(",") if scope.strip()],
                    origin=command_origin(None),
                    name=name,
                    expires_at=expires_at,
                )
                self._report(made, team, json=json)
        except InvalidKeyRequestError as error:
            raise CommandError(str(error), returncode=2) from None

    def _report(self, made: NewKey, team: Team, *, json: bool) -> None:
        if json:
            self.stdout.write(jsonlib.dumps(_known(made)))
            return
        ends = f", until {render_datetime(made.key.expires_at)}" if made.key.expires_at else ""
        self.stderr.write(
            f"An API key of {team.name} for {', '.join(made.key.scopes)}{ends}. "
            "Keep it now: it can't be shown again."
        )
        self.stdout.write(made.text)


def _known(made: NewKey) -> dict[str, Any]:
    key = made.key
    return {
        "id": str(key.pk),
        "key": made.text,
        "prefix": key.prefix,
        "name": key.name,
        "team_id": str(key.team_id),
        "scopes": key.scopes,
        "expires_at": render_datetime(key.expires_at) if key.expires_at else None,
    }
