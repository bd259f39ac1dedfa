"""What holds for each of them, whatever its form."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection
from tests.support.platform_server import Answer, PlatformServer
from tests.support.webhook_signing import (
    signed_request,
    tiktok_event,
    tiktok_signature,
    x_event,
    x_signature,
)
from tests.webhooks.conftest import CLIENT_ID, PERSON, is_live

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024
WEEK = 7 * 86400
FORM = "application/x-www-form-urlencoded"
ISSUER = "https://accounts.google.example.com/"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

Send = Callable[..., Any]


def _meta(path: str) -> Send:
    def send(anonymous: APIClient, *, at: int, padding: int = 0, **members: Any) -> Any:
        text = signed_request(**{"issued_at": at, "padding": "x" * padding, **members})
        return anonymous.post(
            f"/api/v1/webhooks/meta/{path}", f"signed_request={text}", content_type=FORM
        )

    return send


def _tiktok(anonymous: APIClient, *, at: int, padding: int = 0, **members: Any) -> Any:
    content = json.dumps({"padding": "x" * padding})
    body = tiktok_event(**{"create_time": at, "content": content, **members})
    headers = {"TikTok-Signature": tiktok_signature(body)}
    return anonymous.post(
        "/api/v1/webhooks/tiktok", body, content_type="application/json", headers=headers
    )


def _google(anonymous: APIClient, *, at: int, padding: int = 0, **members: Any) -> Any:
    subject = {"subject_type": "iss-sub", "iss": ISSUER, "sub": PERSON}
    kind = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"
    claims = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": at,
        "jti": f"event {at}",
        "events": {kind: {"subject": subject}},
        "padding": "x" * padding,
        **members,
    }
    # Not `encode`, which sees to the types of some claims itself.
    signed = json.dumps(claims).encode()
    token = jwt.PyJWS().encode(signed, KEY, algorithm="RS256", headers={"kid": "one"})
    return anonymous.generic(
        "POST", "/api/v1/webhooks/google-risc", token, content_type="application/secevent+jwt"
    )


def _x(anonymous: APIClient, *, at: int, padding: int = 0, **members: Any) -> Any:
    body = x_event(at=at, padding="x" * padding, **members)
    headers = {"x-twitter-webhooks-signature": x_signature(body)}
    return anonymous.post(
        "/api/v1/webhooks/x", body, content_type="application/json", headers=headers
    )


SENDERS: dict[str, tuple[str, Send]] = {
    "deauthorize": ("meta", _meta("deauthorize")),
    "data-deletion": ("meta", _meta("data-deletion")),
    "tiktok": ("tiktok", _tiktok),
    "google-risc": ("google_risc", _google),
    "x": ("x", _x),
}


ODD: tuple[Any, ...] = (
    None,
    True,
    7,
    -1e300,
    10**400,
    "",
    "\0",
    "\ud800",
    [],
    [[]],
    {},
    {"a": []},
    [{"a": 1}],
)
MEMBERS = {
    "deauthorize": ("algorithm", "issued_at", "user_id"),
    "data-deletion": ("algorithm", "issued_at", "user_id"),
    "tiktok": ("client_key", "event", "create_time", "user_openid", "content"),
    "google-risc": ("iss", "aud", "iat", "jti", "events"),
    "x": ("data",),
}


@pytest.fixture(params=SENDERS)
def send(
    request: pytest.FixtureRequest, sent_by: Any, server: PlatformServer, anonymous: APIClient
) -> Send:
    kind, sender = SENDERS[request.param]
    jwk = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    configuration = {"issuer": ISSUER, "jwks_uri": f"{server.url}/keys"}
    server.on("GET", "/risc", Answer(json=configuration))
    server.on("GET", "/keys", Answer(json={"keys": [{**jwk, "kid": "one"}]}))
    sent_by(kind, risc=f"{server.url}/risc")
    return lambda **how: sender(anonymous, **how)


def test_a_genuine_large_body_is_applied(send: Send, rows: dict[str, OAuthConnection]) -> None:
    # Two of them are in base64, which makes four characters of three.
    assert send(at=int(time.time()), padding=700_000).status_code in {200, 202}
    assert not any(is_live(row) for row in rows.values())


def test_over_a_megabyte_is_refused_if_genuine(
    send: Send, rows: dict[str, OAuthConnection]
) -> None:
    assert send(at=int(time.time()), padding=MEGABYTE).status_code == 413
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize("off", [-WEEK - 60, 360], ids=["stale", "of the future"])
def test_one_out_of_its_time_is_refused(
    send: Send, rows: dict[str, OAuthConnection], off: int
) -> None:
    assert send(at=int(time.time()) + off).status_code == 400
    assert all(is_live(row) for row in rows.values())


def test_odd_members_are_no_failure(send: Send, request: pytest.FixtureRequest) -> None:
    for name in MEMBERS[request.node.callspec.params["send"]]:
        for odd in ODD:
            answer = send(at=int(time.time()), **{name: odd})
            assert answer.status_code in {200, 202, 400}, (name, odd)
