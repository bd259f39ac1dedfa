"""A channel on loopback, of which a test can ask anything: also to fail."""

from dataclasses import dataclass
from typing import Any

from rest_framework.test import APIClient

from channels.models import ChannelConnection
from tests.support.bank import Bank


@dataclass
class Chirp(Bank):
    """Hands out tokens as the bank does: access-1 and refresh-1, access-2 and refresh-2…"""

    def catalogue(self, slug: str = "chirp", *, revocation: str = "", more: str = "") -> str:
        """Write its table; `more` are further lines, `revocation` further ones of that table."""
        return f"""
[channels.{slug}]
name = "Chirp"
authorization_endpoint = "{self.server.url}/authorize"
token_endpoint = "{self.server.url}/token"
identity_endpoint = "{self.server.url}/me"
scopes = ["write"]
help_url = "https://chirp.example.com/apps"
{more}
[channels.{slug}.revocation]
kind = "rfc7009"
endpoint = "{self.server.url}/revoke"
{revocation}
"""


def start(api: APIClient, channel: str = "chirp", **body: Any) -> str:
    """Start connecting, and give the state."""
    answer = api.post("/api/v1/channels/connect", {"channel": channel, **body}, format="json")
    assert answer.status_code == 200, answer.content
    state: str = answer.json()["state"]
    return state


def call_back(api: APIClient, state: str, **query: str) -> Any:
    """Call back with a code, unless the query says otherwise."""
    parameters = {"state": state, "code": "the-code", **query}
    return api.post("/api/v1/channels/callback", query_params=parameters)


def connect(api: APIClient, channel: str = "chirp", **body: Any) -> ChannelConnection:
    """Connect from start to end, and give the row."""
    answer = call_back(api, start(api, channel, **body))
    assert answer.status_code == 201, answer.content
    return ChannelConnection.objects.get(pk=answer.json()["id"])
