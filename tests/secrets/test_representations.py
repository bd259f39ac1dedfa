"""What objects show of themselves when a debugger, a log line or a crash report writes them."""

import secrets
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from channels.models import ChannelConnection
from channels.store_grant import ReceivedChannelGrant
from connections_project.connections.flow import Answer, Authorization, Flow
from connections_project.core.vault import Sealed
from connections_project.identity.keys import NewKey
from connections_project.identity.models import ApiKey
from connections_project.identity.sessions import TokenPair
from connections_project.oauth import transport
from connections_project.oauth.client import (
    ClientRegistration,
    GrantedAccount,
    GrantResult,
    Identity,
    TokenSet,
)
from connections_project.platforms.catalog import catalog
from connections_project.platforms.publishing import PublishSession
from connections_project.platforms.registry import Upstream
from connections_project.revocation.grants import Grant
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.release import TokenBundle
from providers.models import Connection
from providers.reader import Reader
from providers.store_grant import ReceivedProviderGrant
from social.models import SocialAccount
from social.store_grant import Known, ReceivedTeamGrant

SECRET = secrets.token_urlsafe(24)
TOKENS = TokenSet(SECRET, SECRET, 1800, response={"access_token": SECRET, "id_token": SECRET})
SEALED = Sealed(SECRET)
REGISTRATION = ClientRegistration("ours", SECRET, ("https://app.example.com/callback",))


RESULT = GrantResult(TOKENS, "7", (GrantedAccount(Identity("7", "Ada"), TOKENS),))


def upstream() -> Upstream:
    return Upstream(catalog()["schwab"], REGISTRATION)


def row() -> Connection:
    now = timezone.now()
    return Connection(auth_state=SEALED, created_at=now, updated_at=now, user_id=uuid4())


FLOW = Flow("providers", "schwab", uuid4(), "https://a.example.com", SECRET, {})

HOLDERS: dict[str, Any] = {
    "tokens": lambda: TOKENS,
    "registration": lambda: REGISTRATION,
    "ciphertext": lambda: SEALED,
    "start of a flow": lambda: Authorization(f"https://p.example.com/?state={SECRET}", SECRET, 600),
    "answer of a platform": lambda: Answer(SECRET),
    "flow": lambda: FLOW,
    "sign-in": lambda: TokenPair(SECRET, SECRET, 900),
    "request": lambda: transport.Request(
        "POST",
        "https://p.example.com/token",
        headers={"Authorization": f"Bearer {SECRET}"},
        form={"code": SECRET},
        json={"token": SECRET},
    ),
    "answer": lambda: transport.Answer("schwab", 200, {"X": SECRET}, SECRET.encode()),
    "row": row,
    "job": lambda: RevocationJob(sealed_tokens=SEALED),
    "tokens held": lambda: TokenBundle(
        "providers", "schwab", uuid4(), uuid4(), Grant("a", "b", None), SEALED
    ),
    "received grant": lambda: ReceivedProviderGrant(
        row=row(),
        upstream=upstream(),
        flow=FLOW,
        tokens=TOKENS,
        identity=Identity("7", "Ada"),
        reauthorises=False,
        alias=None,
    ),
    "channel's received grant": lambda: ReceivedChannelGrant(
        row=ChannelConnection(auth_state=SEALED),
        live_before=frozenset(),
        upstream=upstream(),
        flow=FLOW,
        tokens=TOKENS,
        identity=Identity("7", "Ada"),
    ),
    "team's received grant": lambda: ReceivedTeamGrant(
        row=SocialAccount(auth_state=SEALED),
        principal=ApiKey(),
        upstream=upstream(),
        flow=FLOW,
        result=RESULT,
        known=Known({}),
        named=frozenset(),
    ),
    "grant result": lambda: RESULT,
    "granted account": lambda: GrantedAccount(Identity("7", "Ada"), TOKENS),
    "publish session": lambda: PublishSession(upstream(), TOKENS, 0.0, lambda: None),
    "new API key": lambda: NewKey(ApiKey(prefix="cnx_"), SECRET),
    "reader": lambda: Reader(upstream().platform, SECRET, began_at=0.0, until=timezone.now()),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_holder_of_secrets_shows_none(name: str) -> None:
    holder = HOLDERS[name]()
    shown = f"{holder!r} {holder!s} {holder} {[holder]}"
    assert SECRET not in shown
