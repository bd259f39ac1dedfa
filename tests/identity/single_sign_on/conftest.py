"""A browser, the admin, and an OpenID Connect provider on loopback."""

import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from connections_project.conf.single_sign_on import SingleSignOn
from tests.support.issuer import METADATA, TestIssuer
from tests.support.platform_server import Answer, PlatformServer, Request

CLIENT_ID, SECRET = "the admin", "s3cret"


@dataclass
class Provider:
    """Signs in whomever it is told to: `claims` differ from the usual ones, or are None.

    Attributes:
        asked: The last authorization request.
    """

    issuer: TestIssuer
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)

    def open(self) -> None:
        url, server = self.issuer.url, self.issuer.server
        published = {
            "issuer": url, "jwks_uri": f"{url}/keys", "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token", "userinfo_endpoint": f"{url}/userinfo",
            "scopes_supported": ["openid", "email", "groups"],
        }  # fmt: skip
        server.on("GET", METADATA, Answer(json=published))
        server.on("POST", "/token", self.tokens)
        server.on("GET", "/userinfo", lambda _: Answer(json=self.userinfo or {"sub": "kim"}))

    def tokens(self, request: Request) -> Answer:
        """Answer a code as RFC 7636 has it: by who knows the verifier."""
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != self.asked["code_challenge"] or request.form["code"] != "the-code":
            return Answer(400, json={"error": "invalid_grant"})
        usual = {"aud": CLIENT_ID, "nonce": self.asked["nonce"], "groups": ["ops", "staff"]}
        token = self.issuer.token(headers={"typ": None}, **(usual | self.claims))
        return Answer(json={"access_token": "opaque", "id_token": token, "token_type": "Bearer"})


@pytest.fixture(autouse=True)
def _all_addresses(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = "connections_project.urls"


@pytest.fixture
def provider(db: None, server: PlatformServer, settings: LazySettings) -> Provider:
    made = Provider(TestIssuer(server))
    made.open()
    settings.ADMIN_TOTP_REQUIRED = True
    settings.ADMIN_OIDC = SingleSignOn(
        made.issuer.url, CLIENT_ID, SECRET, "groups", "ops", "audit", ""
    )
    return made


def start(client: Client, provider: Provider, query: str = "") -> dict[str, str]:
    """Go to the provider, and return what the browser carries there."""
    answer = client.get(f"/admin/sso{query}")
    assert answer.status_code == 302, answer.content
    parts = urlsplit(answer["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{provider.issuer.url}/authorize"
    provider.asked = dict(parse_qsl(parts.query))
    return provider.asked


def sign_in(client: Client, provider: Provider, query: str = "", **claims: Any) -> Any:
    """Sign in from start to end, and return the last answer."""
    asked = start(client, provider, query)
    provider.claims = claims
    return client.get("/admin/sso/callback", {"code": "the-code", "state": asked["state"]})


def later(seconds: int = 2) -> int:
    return int(time.time()) + seconds
