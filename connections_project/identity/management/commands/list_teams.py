"""The command that lists teams."""

import json as jsonlib
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.identity.arguments import principal_id
from connections_project.identity.teams import listed_teams


class Command(CommandWithExamples):
    help = "List the teams that people share, the newest first."
    examples = """
examples:
  manage.py list_teams --personal
  manage.py list_teams --json | jq -r .id
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--member", metavar="ID", type=principal_id, help="only this one's")
        parser.add_argument("--personal", action="store_true", help="everybody's own teams too")
        parser.add_argument("--json", action="store_true", help="print a line of JSON for each")

    def handle(self, *, member: UUID | None, personal: bool, json: bool, **_: Any) -> None:
        for team in listed_teams(member=member, personal=personal).iterator():
            known = {"id": str(team.pk), "name": team.name, "members": team.members_count}
            line = f"{known['id']}  {known['members']:>3}  {team.name}"
            self.stdout.write(jsonlib.dumps(known) if json else line)
