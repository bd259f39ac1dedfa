"""`manage.py suspend_platform`: the kill switch of a platform."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand, given_reason
from connections_project.identity.origins import command_origin
from connections_project.platforms.registry import UnknownPlatformError
from connections_project.platforms.suspend import suspend


class Command(ResultCommand):
    help = (
        "Suspend a platform at once in all processes: connecting, refreshing, syncing and "
        "publishing answer 503, disconnecting goes on."
    )
    examples = """
examples:
  manage.py suspend_platform schwab --reason "breach reported by the provider"
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the platform's slug in the catalogue")
        parser.add_argument(
            "--reason", required=True, help="why, 1 to 512 characters, for the audit log"
        )

    def handle(self, *_: Any, slug: str, reason: str, json: bool, **__: Any) -> None:
        reason = given_reason(reason)
        try:
            changed = suspend(slug=slug, reason=reason, origin=command_origin(None))
        except UnknownPlatformError:
            raise CommandError(f"The catalogue has no platform {slug!r}.", returncode=2) from None
        text = f"{slug} is suspended." if changed else f"{slug} was suspended already."
        self.report(text, {"platform": slug, "suspended": True, "changed": changed}, as_json=json)
