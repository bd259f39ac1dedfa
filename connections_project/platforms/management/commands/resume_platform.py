"""`manage.py resume_platform`: lift the kill switch of a platform."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import ResultCommand, given_reason
from connections_project.identity.origins import command_origin
from connections_project.platforms.registry import UnknownPlatformError
from connections_project.platforms.suspend import resume


class Command(ResultCommand):
    help = "Let a suspended platform be used again."
    examples = """
examples:
  manage.py resume_platform schwab
  manage.py resume_platform schwab --reason "the breach is over"
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the platform's slug")
        parser.add_argument(
            "--reason", default="", help="why, up to 512 characters, for the audit log"
        )

    def handle(self, *_: Any, slug: str, reason: str, json: bool, **__: Any) -> None:
        reason = given_reason(reason, least=0)
        try:
            changed = resume(slug=slug, reason=reason, origin=command_origin(None))
        except UnknownPlatformError:
            raise CommandError(f"The catalogue has no platform {slug!r}.", returncode=2) from None
        text = f"{slug} is in use again." if changed else f"{slug} was not suspended."
        self.report(text, {"platform": slug, "suspended": False, "changed": changed}, as_json=json)
