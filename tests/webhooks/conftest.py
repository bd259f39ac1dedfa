"""Platforms that report grants, and one person's connections in all three apps."""

from dataclasses import asdict
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels.models import ChannelConnection
from connections_project.conf import issuers
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration, Identity, TokenSet
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import add_holder
from providers.models import Connection
from social.models import SocialAccount
from tests.support.issuer import TestIssuer
from tests.support.platform_server import PlatformServer

SECRET = "a secret of the app: s3cret/+&="
CLIENT_ID = "our app"
AUDIENCE = "https://connections.example.com"
CALLBACK = "https://app.example.com/callback"
PERSON = "10158000000000042"
CATALOGUE = """
[{app}.{slug}]
name = "{slug}"
authorization_endpoint = "https://platform.example.com/authorize"
token_endpoint = "https://platform.example.com/token"
deauthorization = "{kind}"
token_identifier_algs = ["prefix", "hash_base64_sha512_sha512"]
risc_configuration_endpoint = "{risc}"
"""
APPS = {"providers": "meta_bank", "channels": "meta_wall", "social": "meta_page"}


@pytest.fixture
def sent_by(settings: LazySettings, tmp_path: Any) -> Any:
    """Set a sender for a platform of each app."""

    def use(kind: str, *, risc: str = "https://platform.example.com/risc", key: str = "") -> None:
        tables = [CATALOGUE.format(app=a, slug=s, kind=kind, risc=risc) for a, s in APPS.items()]
        path = tmp_path / "told.toml"
        path.write_text("".join(tables), encoding="utf-8")
        settings.CATALOG_FILES = (path,)
        ours = asdict(ClientRegistration(CLIENT_ID, SECRET, (CALLBACK,), key))
        none = asdict(ClientRegistration("", "", ()))
        settings.OAUTH_CLIENTS = {
            one.slug: ours if one.slug in APPS.values() else none for one in catalog().all()
        }

    return use


def connected(
    app: str,
    user: User,
    *,
    person: str = PERSON,
    refresh_token: str | None = None,
    account: str | None = None,
    **columns: Any,
) -> OAuthConnection:
    """Put a live connection of a person's into the database."""
    now = columns.pop("now", None) or timezone.now()
    shared: dict[str, Any] = {"created_at": now, "updated_at": now, **columns}
    row: Any
    if app == "providers":
        row = Connection(user=user, provider_slug=APPS[app], status="active", **shared)
    elif app == "channels":
        row = ChannelConnection(user=user, channel=APPS[app], status="connected", **shared)
    else:
        row = SocialAccount(team=user.own_team, platform=APPS[app], **shared)
    found = upstream(APPS[app])
    assert found is not None
    tokens = TokenSet("access", refresh_token, expires_in=3600)
    identity = Identity(account or f"{app} account of {person}", "Ada Lovelace")
    row.take_grant(tokens, identity, upstream=found, now=now, granted_by=person)
    row.save()
    add_holder(row.grant, app=app, connection_id=row.pk)
    return row  # type: ignore[no-any-return]


@pytest.fixture
def rows(owner: User) -> dict[str, OAuthConnection]:
    """A person's connection in each app; to be asked for after the platforms."""
    return {app: connected(app, owner) for app in APPS}


def is_live(row: OAuthConnection) -> bool:
    """Whether a connection is in use, and see that none is half over."""
    row.refresh_from_db()
    live = row.status in {"active", "connected"}
    assert live == (row.auth_state is not None)
    return live


@pytest.fixture
def issuer(server: PlatformServer, settings: LazySettings) -> TestIssuer:
    """Serve an issuer that sends events too."""
    made = TestIssuer(server)
    sender = issuers.Transmitter("main", made.url, AUDIENCE, "main", f"{made.url}/keys")
    settings.IDENTITY = issuers.Identity(made.settings().issuers, {"main": sender})
    return made
