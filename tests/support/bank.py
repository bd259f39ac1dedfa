"""A financial provider on loopback, of which a test can ask anything: also to fail."""

import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rest_framework.test import APIClient

from providers.models import Connection
from tests.support.platform_server import Answer, PlatformServer, Request

REDIRECT_URI = "https://app.example.com/callback"
ISSUER = "https://bank.example.com"


@dataclass
class Bank:
    """Issues tokens that can be told apart: access-1 and refresh-1, access-2 and refresh-2…

    Args:
        server: Where it stands.
        account_id: Whose account the next grant is for.
        expires_in: Seconds that its access tokens live.
    """

    server: PlatformServer
    account_id: str = "customer-7"
    expires_in: int | None = 1800
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def catalogue(self, slug: str = "bank", *, revocation: str = "", more: str = "") -> str:
        """Write its table; `more` are further lines, `revocation` further ones of that table."""
        return f"""
[providers.{slug}]
name = "Bank"
authorization_endpoint = "{self.server.url}/authorize"
token_endpoint = "{self.server.url}/token"
identity_endpoint = "{self.server.url}/me"
accounts_endpoint = "{self.server.url}/accounts"
transactions_endpoint = "{self.server.url}/accounts/{{account_id}}/transactions"
scopes = ["read"]
help_url = "https://bank.example.com/apps"
{more}
[providers.{slug}.revocation]
kind = "rfc7009"
endpoint = "{self.server.url}/revoke"
{revocation}
"""

    def open(self) -> None:
        """Make everything work."""
        self.server.on("POST", "/token", lambda _: self.tokens())
        self.server.on("GET", "/me", lambda _: self.identity())
        self.server.on("POST", "/revoke", Answer(200))
        self.server.on("GET", "/accounts", Answer(json={"accounts": [ACCOUNT]}))
        transactions = Answer(json={"transactions": [TRANSACTION]})
        self.server.on("GET", f"/accounts/{ACCOUNT['id']}/transactions", transactions)

    def tokens(self, **differing: Any) -> Answer:
        number = next(self.numbers)
        body = {
            "access_token": f"access-{number}",
            "refresh_token": f"refresh-{number}",
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        }
        return Answer(json={k: v for k, v in {**body, **differing}.items() if v is not None})

    def identity(self) -> Answer:
        return Answer(json={"sub": self.account_id, "name": "Ada"})

    def token_requests(self, grant_type: str) -> list[Request]:
        requests = self.server.requests_to("/token")
        return [one for one in requests if one.form.get("grant_type") == grant_type]

    @property
    def revoked(self) -> list[str]:
        """Which tokens were sent to the revocation endpoint, in order."""
        return [request.form["token"] for request in self.server.requests_to("/revoke")]


ACCOUNT = {
    "id": "acc-1",
    "name": "Everyday",
    "type": "checking",
    "currency": "EUR",
    "balance": "1204.50",
}
TRANSACTION = {
    "id": "tx-1",
    "posted_at": "2026-11-02",
    "amount": "-3.80",
    "currency": "EUR",
    "description": "Coffee",
}


def start(api: APIClient, slug: str = "bank", **body: Any) -> str:
    """Start connecting, and give the state."""
    answer = api.post("/api/v1/providers", {"provider_slug": slug, **body}, format="json")
    assert answer.status_code == 201, answer.content
    state: str = answer.json()["state"]
    return state


def call_back(api: APIClient, state: str, **query: str) -> Any:
    """Call back with a code, unless the query says otherwise."""
    parameters = {"state": state, "code": "the-code", **query}
    return api.post("/api/v1/providers/callback", query_params=parameters)


def connect(api: APIClient, slug: str = "bank", **body: Any) -> Connection:
    """Connect from start to end, and give the row."""
    answer = call_back(api, start(api, slug, **body))
    assert answer.status_code == 201, answer.content
    return Connection.objects.get(pk=answer.json()["id"])


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
