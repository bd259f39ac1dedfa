"""The command that makes a team."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand
from connections_project.identity.accounts import UnknownMembersError, complaints, create_team


class Command(ResultCommand):
    help = "Make a team of people who exist."
    examples = """
examples:
  manage.py create_team Press --member kim@example.com lee@example.com
  manage.py create_team Press --member kim@example.com --json | jq -r .id
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="what the team is called")
        parser.add_argument(
            "--member",
            metavar="EMAIL",
            nargs="+",
            action="extend",
            required=True,
            dest="emails",
            help="who belongs to it; can be given more than once",
        )

    def handle(self, *, name: str, emails: list[str], json: bool, **_: Any) -> None:
        try:
            team = create_team(name=name, emails=emails)
        except ValidationError as error:
            raise CommandError(complaints(error), returncode=2) from None
        except UnknownMembersError as error:
            raise CommandError(f"{error}. Nothing was made.") from None
        known = {"id": str(team.pk), "name": team.name}
        self.report(f"Created {team.name} ({team.pk}).", known, as_json=json)
