"""Whose grant a shipped platform reports as over: the one that it named when it was connected."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from jwt.algorithms import RSAAlgorithm
from rest_framework.test import APIClient

from connections_project.connections.token_names import double_hash
from connections_project.revocation.models import RevocationJob
from tests.platforms.contract.conftest import CLIENT_ID, CLIENT_SECRET, SHIPPED, Actor
from tests.support.platform_server import Answer
from tests.support.webhook_signing import (
    DISCORD_KEY,
    discord_event,
    discord_signature,
    tiktok_event,
    tiktok_signature,
    x_event,
    x_signature,
)

ISSUER = "https://accounts.google.com/"
EVENT = "https://schemas.openid.net/secevent/"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def google(actor: Actor, settings: LazySettings, tmp_path: Any) -> Actor:
    """Have Google's keys published by the server on loopback."""
    jwk = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    keys = {"keys": [{**jwk, "kid": "one"}]}
    published = {"issuer": ISSUER, "jwks_uri": f"{actor.server.url}/keys"}
    actor.server.on("GET", "/risc", Answer(json=published))
    actor.server.on("GET", "/keys", Answer(json=keys))
    path = tmp_path / "risc.toml"
    line = f'risc_configuration_endpoint = "{actor.server.url}/risc"\n'
    revoking = actor.overlay().partition("\n[")
    path.write_text(f"{revoking[0]}\n{line}[{revoking[2]}", encoding="utf-8")
    settings.CATALOG_FILES = (*SHIPPED, path)
    return actor


def send_notice(anonymous: APIClient, kind: str, subject: dict[str, str]) -> Any:
    claims = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": int(time.time()),
        "jti": "one event",
        "events": {EVENT + kind: {"subject": subject}},
    }
    token = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "one"})
    path = "/api/v1/webhooks/google-risc"
    return anonymous.generic("POST", path, token, content_type="application/secevent+jwt")


@pytest.mark.parametrize("actor", ["youtube"], indirect=True)
@pytest.mark.parametrize("named_by", ["user", "disabled user", "prefix", "hash"])
def test_google_names_the_id_token_or_refresh_token(
    api: APIClient, anonymous: APIClient, google: Actor, named_by: str, monkeypatch: Any
) -> None:
    token = "1//0g" + "r" * 90
    monkeypatch.setattr("tests.platforms.contract.conftest.secrets.token_urlsafe", lambda _: token)
    row = google.connect(api)
    of_token = {"subject_type": "oauth_token", "token_type": "refresh_token"}
    of_user = {"subject_type": "iss-sub", "iss": ISSUER, "sub": "user-1"}
    kind, subject = {
        "user": ("oauth/event-type/tokens-revoked", of_user),
        "disabled user": ("risc/event-type/account-disabled", of_user),
        "prefix": (
            "oauth/event-type/token-revoked",
            {**of_token, "token_identifier_alg": "prefix", "token": token[:16]},
        ),
        "hash": (
            "oauth/event-type/token-revoked",
            {
                **of_token,
                "token_identifier_alg": "hash_base64_sha512_sha512",
                "token": double_hash(token),
            },
        ),
    }[named_by]

    assert send_notice(anonymous, kind, subject).status_code == 202

    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("error", None)
    assert not RevocationJob.objects.exists()


@pytest.mark.parametrize("actor", ["tiktok"], indirect=True)
def test_tiktok_names_the_open_id_of_the_account(
    api: APIClient, anonymous: APIClient, actor: Actor
) -> None:
    row = actor.connect(api)
    body = tiktok_event(client_key=CLIENT_ID, user_openid="customer-7")
    signed = {"TikTok-Signature": tiktok_signature(body, CLIENT_SECRET)}
    path = "/api/v1/webhooks/tiktok"

    answer = anonymous.post(path, body, content_type="application/json", headers=signed)

    assert answer.status_code == 200
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("error", None)


@pytest.mark.parametrize("actor", ["x"], indirect=True)
def test_x_names_the_user(api: APIClient, anonymous: APIClient, actor: Actor) -> None:
    row = actor.connect(api)
    body = x_event(user_id="customer-7")
    signed = {"x-twitter-webhooks-signature": x_signature(body, CLIENT_SECRET)}
    path = "/api/v1/webhooks/x"

    answer = anonymous.post(path, body, content_type="application/json", headers=signed)

    assert answer.status_code == 200
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("error", None)


@pytest.mark.parametrize("actor", ["discord"], indirect=True)
def test_discord_names_who_gave_the_grant(
    api: APIClient, anonymous: APIClient, actor: Actor, settings: LazySettings
) -> None:
    row = actor.connect(api)
    key = DISCORD_KEY.public_key().public_bytes_raw().hex()
    clients = settings.OAUTH_CLIENTS
    settings.OAUTH_CLIENTS = {**clients, "discord": {**clients["discord"], "webhook_key": key}}
    body = discord_event(user_id="customer-7")
    path, signed = "/api/v1/webhooks/discord", discord_signature(body)

    answer = anonymous.post(path, body, content_type="application/json", headers=signed)

    assert answer.status_code == 204
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("error", None)
