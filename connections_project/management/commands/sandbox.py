"""`manage.py sandbox`: a bank to connect to, for development."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.identity.single_sign_on.backend import redirect_uri as sign_on_uri
from connections_project.platforms.catalog import catalog, client_registration

ROOT = Path(__file__).resolve().parents[3]


class Command(CommandWithExamples):
    help = (
        "Serve a sandbox bank, an OAuth 2.0 server with made-up accounts, in a process of its own. "
        "Its client is the service's own one for the platform `sandbox`, unless SANDBOX_CLIENT_ID, "
        "SANDBOX_CLIENT_SECRET and SANDBOX_REDIRECT_URIS (comma-separated) name another."
    )
    examples = """
examples:
  manage.py sandbox
  manage.py sandbox --port 9001 --database /tmp/sandbox.sqlite3 --access-token-seconds 60
"""
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where it listens")
        parser.add_argument(
            "--port", type=int, default=9000, help="(default: 9000); 0 takes any free one"
        )
        parser.add_argument(
            "--database", type=Path, default=ROOT / "sandbox.sqlite3", help="its own SQLite file"
        )
        parser.add_argument(
            "--access-token-seconds", type=int, default=1800, help="how long access tokens are good"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("the sandbox is for development only, and DEBUG is off")
        environment = os.environ | _client() | _options(options)
        # The sandbox takes this process over, so that SIGTERM and Ctrl-C reach it and no other.
        os.chdir(ROOT)
        module = ["-m", "connections_project.sandbox"]
        os.execve(sys.executable, [sys.executable, *module], environment)  # noqa: S606


def _client() -> dict[str, str]:
    if "sandbox" not in catalog() or "SANDBOX_CLIENT_ID" in os.environ:
        return {}
    own = client_registration("sandbox")
    # Each platform that the sandbox offers has its own redirect URI, and all have this client.
    same = [one for one in map(client_registration, catalog()) if one.client_id == own.client_id]
    redirect_uris = {uri: None for one in same for uri in one.redirect_uris}
    if settings.ADMIN_OIDC and settings.ADMIN_OIDC.client_id == own.client_id:
        redirect_uris[sign_on_uri()] = None
    return {
        "SANDBOX_CLIENT_ID": own.client_id,
        "SANDBOX_CLIENT_SECRET": own.client_secret,
        "SANDBOX_REDIRECT_URIS": ",".join(redirect_uris),
    }


def _options(options: dict[str, Any]) -> dict[str, str]:
    return {
        "DEBUG": "true",
        "SANDBOX_HOST": options["host"],
        "SANDBOX_PORT": str(options["port"]),
        "SANDBOX_DATABASE": str(options["database"].resolve()),
        "SANDBOX_ACCESS_TOKEN_SECONDS": str(options["access_token_seconds"]),
    }
