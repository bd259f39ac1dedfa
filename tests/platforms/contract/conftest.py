"""Every shipped platform as it is described, but for its host: that is a server on loopback."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.oauth.catalog import Platform, load_catalog
from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import catalog
from tests.support.app_clients import APP_CLIENTS, AppClient, connect
from tests.support.bank import REDIRECT_URI
from tests.support.platform_server import Answer, PlatformServer, Request

ROOT = Path(__file__).resolve().parents[3]
# The social platforms yield several accounts a grant, and have a file of their own here.
SHIPPED = [ROOT / app / "catalog.toml" for app in APP_CLIENTS]
PLATFORMS = {one.slug: one for one in load_catalog(*SHIPPED).all() if one.status == "active"}
ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "identity_endpoint",
    "accounts_endpoint",
    "transactions_endpoint",
)

CLIENT_ID, CLIENT_SECRET = "our client:1", "s3cret/+&=%"
ACCOUNT_ID, USER_ID = "customer-7", "user-1"


@dataclass
class Actor:
    """A platform's server, as its catalogue entry says it is."""

    platform: Platform
    server: PlatformServer
    issued: list[dict[str, str]] = field(default_factory=list)

    @property
    def app_client(self) -> AppClient:
        return APP_CLIENTS[self.platform.app]

    def connect(self, api: APIClient) -> Any:
        """Connect it from start to end, and give the row."""
        return connect(api, self.app_client, self.platform.slug)

    @property
    def granting_user(self) -> str:
        """Whose grant it is: the id_token's user, where the platform sends one."""
        is_told = "openid" in self.platform.scopes and self.platform.identity_endpoint
        return USER_ID if is_told else ACCOUNT_ID

    def open(self) -> None:
        self.server.on("POST", self.path("token_endpoint"), lambda request: self.tokens(request))
        if self.platform.identity_endpoint:
            self.server.on("GET", self.path("identity_endpoint"), lambda _: self.identity())
        if revocation := self.platform.revocation:
            status = revocation.success_status[0]
            self.server.on(self.revoking_method, urlsplit(revocation.endpoint).path, Answer(status))
            introspection = urlsplit(revocation.introspection_endpoint).path
            self.server.on("POST", introspection, lambda _: Answer(json={"active": self.is_alive}))

    @property
    def is_alive(self) -> bool:
        return not self.revocations

    def identity(self) -> Answer:
        """Say who it is, until a revocation has come."""
        first = self.platform.account_id_field.split("|")[0]
        alive = document({first: ACCOUNT_ID})
        return Answer(json=alive) if self.is_alive else Answer(401, json={})

    def path(self, endpoint: str) -> str:
        return urlsplit(getattr(self.platform, endpoint)).path or "/"

    @property
    def revoking_method(self) -> str:
        revocation = self.platform.revocation
        return "DELETE" if revocation and revocation.kind == "delete" else "POST"

    @property
    def revocations(self) -> list[Request]:
        revocation = self.platform.revocation
        return self.server.requests_to(urlsplit(revocation.endpoint).path) if revocation else []

    @property
    def token_requests(self) -> list[Request]:
        return self.server.requests_to(self.path("token_endpoint"))

    def tokens(self, request: Request) -> Answer:
        """Issue tokens; a refresh token at first, and again where the platform rotates it."""
        given = {"access_token": secrets.token_urlsafe(24)}
        is_first = request.form["grant_type"] == "authorization_code"
        if self.platform.refresh == "rotating" or (self.platform.refresh != "none" and is_first):
            given["refresh_token"] = secrets.token_urlsafe(24)
        self.issued.append(given)
        body: dict[str, Any] = {**given, "token_type": "Bearer", "expires_in": 1800}
        body["scope"] = self.platform.scope_separator.join(self.platform.scopes)
        if "openid" in self.platform.scopes:
            claims = {"sub": self.granting_user, "aud": CLIENT_ID}
            body["id_token"] = f"e30.{_base64url(json.dumps(claims).encode())}."
        return Answer(json=body)

    def overlay(self) -> str:
        """Write what is laid over the shipped entry: other hosts, and nothing else."""
        table = f"[{self.platform.app}.{self.platform.slug}]"
        moved = {name: getattr(self.platform, name) for name in ENDPOINTS}
        lines = [f'{name} = "{self.moved(url)}"' for name, url in moved.items() if url]
        if revocation := self.platform.revocation:
            lines += [
                table[:-1] + ".revocation]",
                f'endpoint = "{self.moved(revocation.endpoint)}"',
            ]
            if introspection := revocation.introspection_endpoint:
                lines.append(f'introspection_endpoint = "{self.moved(introspection)}"')
        return "\n".join([table, *lines])

    def moved(self, url: str) -> str:
        here = urlsplit(self.server.url)
        return urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc).geturl()


def document(values: Mapping[str, Any]) -> Any:
    """Make the smallest JSON that holds these values at these dotted paths."""
    made: Any = None
    for path, value in values.items():
        made = _with(made, path.split("."), value)
    return made


def _with(made: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    if path[0].isdigit():
        assert path[0] == "0"
        return [_with(made[0] if made else None, path[1:], value)]
    inner = (made or {}).get(path[0])
    return {**(made or {}), path[0]: _with(inner, path[1:], value)}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def authenticates(request: Request, platform: Platform) -> bool:
    """Whether a request bears our credentials as this platform wants them, and only so."""
    form, header = request.form, request.headers.get("Authorization", "")
    if platform.token_endpoint_auth_method == "client_secret_basic":
        pair = base64.b64decode(header.removeprefix("Basic ")).decode().split(":")
        given = [unquote_plus(part) for part in pair]
        return given == [CLIENT_ID, CLIENT_SECRET] and "client_secret" not in form
    result = {platform.client_id_parameter: CLIENT_ID, "client_secret": CLIENT_SECRET}
    if platform.token_endpoint_auth_method == "none":
        del result["client_secret"]
    return not header and {name: form.get(name) for name in result} == result


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


@pytest.fixture(params=PLATFORMS)
def actor(
    request: pytest.FixtureRequest,
    server: PlatformServer,
    settings: LazySettings,
    tmp_path: Path,
) -> Actor:
    made = Actor(PLATFORMS[request.param], server)
    path = tmp_path / "overlay.toml"
    path.write_text(made.overlay(), encoding="utf-8")
    settings.CATALOG_FILES = (*SHIPPED, path)
    registration = asdict(ClientRegistration(CLIENT_ID, CLIENT_SECRET, (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {one.slug: registration for one in catalog().all()}
    made.open()
    return made
