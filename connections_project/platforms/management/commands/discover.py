"""`manage.py discover`: write a catalogue table from what an authorization server publishes."""

import json as jsonlib
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import CommandWithExamples
from connections_project.oauth.catalog_tables import SLUG
from connections_project.oauth.catalog_writing import as_toml, entry
from connections_project.oauth.discovery import Metadata, MetadataError, documents
from connections_project.platforms.catalog import catalog
from connections_project.platforms.discovery import fetch_metadata


class Command(CommandWithExamples):
    help = (
        "Write a catalogue table for an authorization server, from the document that it publishes "
        "of itself (RFC 8414, or OpenID Connect Discovery). Nothing is stored."
    )
    examples = """
examples:
  manage.py discover https://accounts.google.com
  manage.py discover https://mastodon.example --app channels --slug mastodon_example >> catalog.toml
  manage.py discover https://id.example/.well-known/openid-configuration --json | jq .token_endpoint

Read the table before it goes into the file of OAUTH_CATALOG: no document says what one revocation
ends (blast_radius), where accounts are read, or where a user removes the app by hand.

Exit codes: 0 written, 1 no document that can be used, 2 wrong use.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL", help="an issuer, or the address of its document")
        parser.add_argument("--app", help="whose platform it becomes (providers)")
        parser.add_argument("--slug", help="what it is called; by default made of the host")
        parser.add_argument("--json", action="store_true", help="print the values as JSON")

    def handle(self, *, url: str, app: str | None, slug: str | None, json: bool, **_: Any) -> None:
        _require_address(url)
        app, slug = app or catalog().apps[0], slug or _slug(url)
        _require_right_use(app, slug)
        try:
            metadata = fetch_metadata(url)
            if metadata is None:
                raise MetadataError(f"{url}: publishes no document")
            values = entry(metadata, name=urlsplit(metadata.issuer).hostname or slug)
        except MetadataError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(jsonlib.dumps(values) if json else _table(metadata, values, app, slug))


def _slug(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return re.sub(r"[^a-z0-9]+", "_", host.lower()).strip("_")[:64]


def _require_address(url: str) -> None:
    try:
        documents(url)
    except MetadataError as error:
        raise CommandError(str(error), returncode=2) from None


def _require_right_use(app: str, slug: str) -> None:
    """Refuse arguments of which no table could be made.

    Raises:
        CommandError: Code 2.
    """
    if app not in catalog().apps:
        names = ", ".join(catalog().apps)
        raise CommandError(f"--app: must be one of {names}.", returncode=2)
    if not SLUG.fullmatch(slug):
        raise CommandError("--slug: must be 1 to 64 of a-z, 0-9 and _.", returncode=2)


def _table(metadata: Metadata, values: dict[str, Any], app: str, slug: str) -> str:
    scopes = metadata.texts("scopes_supported") or ()
    return as_toml(values, app=app, slug=slug, scopes=scopes)
