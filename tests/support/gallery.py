"""A social platform on loopback, of which a test can ask anything: also to fail.

One person there may manage several accounts, and each has a token of its own, as a Page has.
"""

from dataclasses import dataclass, field
from typing import Any

from rest_framework.test import APIClient

from connections_project.core.vault import open_sealed
from connections_project.revocation.models import RevocationJob
from social.models import SocialAccount
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request

SOCIAL = "/api/v1/plugin/social-media-publisher/social"


@dataclass
class Gallery(Bank):
    """Grants as many accounts as it is told to, by their ids.

    Args:
        account_id: The person who grants.
        accounts: The ids of the accounts that the next grant is for.
    """

    account_id: str = "person-1"
    accounts: list[str] = field(default_factory=lambda: ["7"])

    def catalogue(
        self,
        slug: str = "gallery",
        *,
        revocation: str = 'blast_radius = "grant"',
        more: str = "",
        token: str = "access_token",
    ) -> str:
        """Write its table; `more` are further lines, `revocation` further ones of that table."""
        return f"""
[social.{slug}]
name = "Gallery"
authorization_endpoint = "{self.server.url}/authorize"
token_endpoint = "{self.server.url}/token"
identity_endpoint = "{self.server.url}/me"
granted_accounts_endpoint = "{self.server.url}/me/accounts"
granted_accounts_field = "data"
granted_account_fields = {{ id = "id", name = "username", token = "{token}" }}
scopes = ["publish"]
help_url = "https://gallery.example.com/apps"
{more}
[social.{slug}.revocation]
kind = "rfc7009"
endpoint = "{self.server.url}/revoke"
{revocation}
"""

    def open(self) -> None:
        super().open()
        self.server.on("GET", "/me/accounts", self.list_accounts)

    def list_accounts(self, request: Request) -> Answer:
        asked_with = request.headers["Authorization"].removeprefix("Bearer ")
        return Answer(
            json={
                "data": [
                    {
                        "id": account,
                        "username": f"@account{account}",
                        "access_token": f"{asked_with}-of-{account}",
                    }
                    for account in self.accounts
                ]
            }
        )


def start(api: APIClient, platform: str = "gallery", **body: Any) -> str:
    """Start connecting, and give the state."""
    answer = api.post(f"{SOCIAL}/connect", {"platform": platform, **body}, format="json")
    assert answer.status_code == 201, answer.content
    state: str = answer.json()["state"]
    return state


def call_back(api: APIClient, state: str, **query: str) -> Any:
    """Call back with a code, unless the query says otherwise."""
    parameters = {"state": state, "code": "the-code", **query}
    return api.post(f"{SOCIAL}/callback", query_params=parameters)


def connect(api: APIClient, platform: str = "gallery", **body: Any) -> list[SocialAccount]:
    """Connect from start to end, and return the rows of the answer, in its order."""
    answer = call_back(api, start(api, platform, **body))
    assert answer.status_code == 201, answer.content
    rows = SocialAccount.objects.in_bulk([each["id"] for each in answer.json()["accounts"]])
    return [row for row in SocialAccount.objects.order_by("platform_account_id") if row.pk in rows]


def disconnect(api: APIClient, account: SocialAccount) -> Any:
    return api.post(f"{SOCIAL}/disconnect", {"accountId": str(account.pk)}, format="json")


def pending_tokens() -> list[str | None]:
    """Return the access tokens that are waiting to be revoked, the oldest first."""
    return [
        open_sealed(job.sealed_tokens, subject=f"connection:{job.connection_id}")["access_token"]
        for job in RevocationJob.objects.order_by("id")
        if job.sealed_tokens is not None
    ]
