"""A refusal of our own client ends no connection, at any platform: it says nothing of the grant."""

from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.errors import RefreshFailedError
from connections_project.connections.refresh import refreshed_for_use
from connections_project.identity.models import User
from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import catalog
from tests.platforms.recorded.overlays import SHIPPED, moved_table
from tests.support.bank import REDIRECT_URI
from tests.support.channel_rows import channel_of
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db

ORIGIN = Origin(ActorType.SYSTEM, None, Interface.WORKER)
REFRESHING = {slug: one for slug, one in SHIPPED.items() if one.refresh != "none"}

# RFC 6749, section 5.2, and what has been seen of servers that leave it.
EVERYWHERE = {
    "invalid_client 401": Answer(401, json={"error": "invalid_client"}),
    "invalid_client 400": Answer(400, json={"error": "invalid_client"}),
    "unauthorized_client": Answer(400, json={"error": "unauthorized_client"}),
    "access_denied": Answer(401, json={"error": "access_denied"}),
    "no word at all": Answer(401),
    "a page": Answer(401, body=b"<html>Unauthorized</html>"),
    "Basic is wanted": Answer(401, headers={"WWW-Authenticate": "Basic"}, json={}),
}
GRAPH = {"message": "Error validating client secret.", "type": "OAuthException", "code": 1}
RECORDED = {
    "schwab": Answer(401, json={"error": "invalid_client", "error_description": "Unauthorized"}),
    "coinbase": Answer(401, json={"errors": [{"id": "unauthorized", "message": "no client"}]}),
    "monzo": Answer(401, json={"code": "unauthorized.bad_client", "message": "Bad client"}),
    "tradestation": Answer(401, json={"error": "access_denied", "error_description": "No"}),
    "x": Answer(401, json={"error": "unauthorized_client", "error_description": "Missing header"}),
    "linkedin": Answer(401, json={"error": "invalid_client", "error_description": "Failed"}),
    "youtube": Answer(401, json={"error": "invalid_client", "error_description": "Unauthorized"}),
    "tiktok": Answer(401, json={"error": "invalid_client", "log_id": "2026"}),
    "pinterest": Answer(401, json={"code": 2, "message": "Authentication failed."}),
    "reddit": Answer(401, json={"message": "Unauthorized", "error": 401}),
    "discord": Answer(401, json={"error": "invalid_client"}),
    "facebook_page": Answer(400, json={"error": GRAPH}),
    "instagram_business": Answer(400, json={"error": GRAPH}),
    "threads": Answer(400, json={"error": GRAPH}),
}
CASES = [
    *(pytest.param(slug, failing, id=f"{slug} {name}")
      for slug in REFRESHING for name, failing in EVERYWHERE.items()),
    *(pytest.param(slug, failing, id=f"{slug} recorded") for slug, failing in RECORDED.items()),
]  # fmt: skip


def connected(platform: Platform, owner: User) -> Any:
    if platform.app == "social":
        return account_of(owner.own_team, platform=platform.slug)
    if platform.app == "channels":
        return channel_of(owner, channel=platform.slug)
    return connection_of(owner, slug=platform.slug)


def refuse_everywhere(server: PlatformServer, platform: Platform, refusal: Answer) -> None:
    for path in (urlsplit(platform.token_endpoint).path, "/refresh_access_token"):
        for method in ("GET", "POST"):
            server.on(method, path, refusal)


def test_each_refreshing_platform_has_a_record() -> None:
    assert RECORDED.keys() == REFRESHING.keys()


@pytest.mark.parametrize(("slug", "refusal"), CASES)
def test_a_wrong_secret_ends_no_connection(
    slug: str,
    refusal: Answer,
    server: PlatformServer,
    owner: User,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    platform = SHIPPED[slug]
    path = tmp_path / "overlay.toml"
    path.write_text(moved_table(platform, server.url), encoding="utf-8")
    settings.CATALOG_FILES = (path,)
    client = asdict(ClientRegistration("our client", "wrong secret", (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {one.slug: client for one in catalog().all()}
    refuse_everywhere(server, platform, refusal)
    row = connected(platform, owner)
    before = row.status
    with pytest.raises(RefreshFailedError):
        refreshed_for_use(row, origin=ORIGIN, force=True)
    row.refresh_from_db()
    assert len(server.requests) == 1
    assert (row.status, row.holds_tokens) == (before, True)
