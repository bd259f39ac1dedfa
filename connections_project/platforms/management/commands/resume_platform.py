"""`manage.py resume_platform`: lift the kill switch of a platform."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import EscapedCommand
from connections_project.core.text import InvalidReasonError, reason_of
from connections_project.identity.origins import command_origin
from connections_project.platforms.registry import UnknownPlatformError
from connections_project.platforms.suspend import resume


class Command(EscapedCommand):
    help = "Let a suspended platform be used again. Example: manage.py resume_platform schwab"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the platform's slug")
        parser.add_argument("--reason", default="", help="why, up to 512 characters, for the audit")

    def handle(self, *_: Any, slug: str, reason: str, **__: Any) -> None:
        try:
            reason = reason_of(reason, least=0)
        except InvalidReasonError as error:
            raise CommandError(f"--reason: {error}", returncode=2) from None
        try:
            changed = resume(slug=slug, reason=reason, origin=command_origin(None))
        except UnknownPlatformError:
            raise CommandError(f"The catalogue has no platform {slug!r}.", returncode=2) from None
        self.stdout.write(f"{slug} is in use again." if changed else f"{slug} was not suspended.")
