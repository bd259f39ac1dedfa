"""The command that lists teams."""

import json as jsonlib
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser
from django.db.models import Count, OuterRef, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from connections_project.connections.registry import ConnectionType, connection_types
from connections_project.core.commands.base import CommandWithExamples
from connections_project.identity.arguments import principal_id
from connections_project.identity.teams import listed_teams


class Command(CommandWithExamples):
    help = "List the teams that people share, and what they have, the newest first."
    examples = """
examples:
  manage.py list_teams --personal
  manage.py list_teams --json | jq -r .id
  manage.py list_teams --personal --json | jq 'select(.active_members == 0)'

Each line has the team's id, its members, those who are active, its live connections and its name.
Somebody has to decide on a team without an active member: its API keys go on working, see
list_api_keys, and disconnect_social ends its connections.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--member", metavar="ID", type=principal_id, help="only this one's")
        parser.add_argument("--personal", action="store_true", help="everybody's own teams too")
        parser.add_argument("--json", action="store_true", help="print a line of JSON for each")

    def handle(self, *, member: UUID | None, personal: bool, json: bool, **_: Any) -> None:
        teams = listed_teams(member=member, personal=personal)
        for team in teams.annotate(live_count=_live_connections()).iterator():
            counts = {
                "members": team.members_count,
                "active_members": team.active_count,
                "live_connections": team.live_count,
            }
            known = {"id": str(team.pk), "name": team.name, **counts}
            columns = "".join(f"  {count:>3}" for count in counts.values())
            self.stdout.write(jsonlib.dumps(known) if json else f"{team.pk}{columns}  {team.name}")


def _live_connections() -> Combinable:
    total: Combinable = Value(0)
    for one in connection_types():
        if one.belongs_to_teams:
            total += _live_of(one)
    return total


def _live_of(one: ConnectionType) -> Combinable:
    live = one.unfinished(one.rows.filter(team=OuterRef("pk"))).order_by().values("team")
    return Coalesce(Subquery(live.annotate(number=Count("pk")).values("number")), 0)
