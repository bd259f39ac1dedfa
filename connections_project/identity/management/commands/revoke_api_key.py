"""The command that revokes an API key."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand, given_reason
from connections_project.core.parsing import render_datetime
from connections_project.identity.keys import KeyNotFoundError, revoke_key
from connections_project.identity.origins import command_origin


class Command(ResultCommand):
    help = "Revoke an API key at once and for good."
    examples = """
examples:
  manage.py revoke_api_key cnx_5f0c1d2e --reason "leaked"
  manage.py revoke_api_key 01890a5d-ac96-774b-bcce-b302099a8057 --json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("key", metavar="PREFIX|ID", help="the key's beginning, or its id")
        parser.add_argument("--reason", default="", help="why, for the audit log")

    def handle(self, *, key: str, reason: str, json: bool, **_: Any) -> None:
        reason = given_reason(reason, least=0)
        try:
            # Whoever pastes the whole key means it, and its secret has no business in messages.
            prefix_or_id = key if len(key) <= 36 else key[:20]
            found, is_news = revoke_key(
                prefix_or_id=prefix_or_id, origin=command_origin(None), reason=reason
            )
        except KeyNotFoundError:
            raise CommandError("no such key: give its id, or what it begins with") from None
        ended = render_datetime(found.revoked_at) if found.revoked_at else None
        known = {"id": str(found.pk), "prefix": found.prefix, "revoked_at": ended}
        done = "Revoked" if is_news else "Was revoked already:"
        self.report(f"{done} {found.prefix} ({found.pk}).", known, as_json=json)
