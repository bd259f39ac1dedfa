"""`POST /api/v1/webhooks/google-risc`: security event tokens, signed here by PyJWT."""

import time
from functools import partial
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection
from connections_project.connections.token_names import double_hash
from connections_project.identity.models import User
from connections_project.webhooks import signing_keys
from tests.support.hanging import hanging
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import events
from tests.webhooks.conftest import CLIENT_ID, PERSON, connected, is_live

pytestmark = pytest.mark.django_db
PATH = "/api/v1/webhooks/google-risc"
ISSUER = "https://accounts.google.example.com/"
REVOKED = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"
ONE_REVOKED = "https://schemas.openid.net/secevent/oauth/event-type/token-revoked"
VERIFICATION = "https://schemas.openid.net/secevent/risc/event-type/verification"
SESSIONS = "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ANOTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOKEN = "1//0g" + "r" * 90


def published(key: rsa.RSAPrivateKey, kid: str = "one") -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"keys": [{**jwk, "kid": kid, "alg": "RS256", "use": "sig"}]}


@pytest.fixture(autouse=True)
def google(server: PlatformServer, sent_by: Any) -> PlatformServer:
    configuration = {"issuer": ISSUER, "jwks_uri": f"{server.url}/keys"}
    server.on("GET", "/risc", Answer(json=configuration))
    server.on("GET", "/keys", Answer(json=published(KEY)))
    sent_by("google_risc", risc=f"{server.url}/risc")
    return server


def of_person(person: str = PERSON) -> dict[str, Any]:
    return {"subject": {"subject_type": "iss-sub", "iss": ISSUER, "sub": person}}


def event_token(
    events: Any = None,
    *,
    key: Any = KEY,
    kid: str = "one",
    algorithm: str = "RS256",
    **differing: Any,
) -> str:
    usual = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": int(time.time()),
        "jti": f"event-{time.monotonic_ns()}",
        "events": {REVOKED: of_person()} if events is None else events,
    }
    claims = {name: value for name, value in {**usual, **differing}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def send(anonymous: APIClient, token: str) -> Any:
    return anonymous.generic("POST", PATH, token, content_type="application/secevent+jwt")


@pytest.mark.parametrize("address", ["http://keys.example/keys", "ftp://127.0.0.1/", "//x", "", 5])
def test_keys_come_over_https_alone(
    anonymous: APIClient, google: PlatformServer, address: object
) -> None:
    """Plain http is for loopback, as in the other tests; nothing is asked for at the address."""
    google.on("GET", "/risc", Answer(json={"issuer": ISSUER, "jwks_uri": address}))
    assert send(anonymous, event_token()).status_code == 503
    assert [one.path for one in google.requests] == ["/risc"]


def test_all_tokens_of_a_user_are_over(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    answer = send(anonymous, event_token())

    assert (answer.status_code, answer.content) == (202, b"")
    assert not any(is_live(row) for row in rows.values())
    assert len(events("connection_deauthorized")) == 3


@pytest.mark.parametrize(
    ("alg", "name"),
    [("prefix", TOKEN[:16]), ("hash_base64_sha512_sha512", double_hash(TOKEN))],
)
def test_one_token_is_over_by_its_name(
    anonymous: APIClient, owner: User, alg: str, name: str
) -> None:
    named = connected("channels", owner, refresh_token=TOKEN)
    other = connected("providers", owner, refresh_token="1//0h" + "s" * 90)
    subject = {
        "subject_type": "oauth_token",
        "token_type": "refresh_token",
        "token_identifier_alg": alg,
        "token": name,
    }

    assert send(anonymous, event_token({ONE_REVOKED: {"subject": subject}})).status_code == 202
    assert not is_live(named)
    assert is_live(other)


@pytest.mark.parametrize("kind", [VERIFICATION, SESSIONS, "https://example.com/unknown"])
def test_events_that_end_no_grant_are_taken(
    anonymous: APIClient, rows: dict[str, OAuthConnection], kind: str
) -> None:
    assert send(anonymous, event_token({kind: of_person()})).status_code == 202
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize("recorded", [{}, [], {REVOKED: None}, {REVOKED: {"subject": "x"}}])
def test_events_that_name_nobody_are_taken(
    anonymous: APIClient, rows: dict[str, OAuthConnection], recorded: Any
) -> None:
    assert send(anonymous, event_token(recorded)).status_code == 202
    assert all(is_live(row) for row in rows.values())


def test_a_repeated_event_is_not_applied_again(anonymous: APIClient, owner: User) -> None:
    send(anonymous, event_token(jti="the same"))
    row = connected("channels", owner)

    assert send(anonymous, event_token(jti="the same")).status_code == 202
    assert is_live(row)


def test_an_old_event_never_ends_a_newer_connection(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    assert send(anonymous, event_token(iat=int(time.time()) - 60)).status_code == 202
    assert all(is_live(row) for row in rows.values())


def test_an_event_does_not_run_out(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    assert send(anonymous, event_token(exp=int(time.time()) - 3600)).status_code == 202
    assert not any(is_live(row) for row in rows.values())


REFUSED: dict[str, tuple[str, Any]] = {
    "another's signature": ("authentication_failed", lambda: event_token(key=ANOTHER_KEY)),
    "an unknown key": ("invalid_key", lambda: event_token(kid="two")),
    "another issuer": ("invalid_issuer", lambda: event_token(iss="https://evil.example.com/")),
    "another audience": ("invalid_audience", lambda: event_token(aud="another app")),
    "no event id": ("invalid_request", lambda: event_token(jti=None)),
    "no time": ("invalid_request", lambda: event_token(iat=None)),
    "a stale one": ("invalid_request", lambda: event_token(iat=int(time.time()) - 8 * 86400)),
    "no signature": (
        "invalid_request",
        lambda: event_token(key=None, algorithm="none"),
    ),
    "a secret as key": (
        "invalid_request",
        lambda: event_token(key="k" * 64, algorithm="HS256"),
    ),
    "no token": ("invalid_request", lambda: "hello"),
    "nothing": ("invalid_request", lambda: ""),
}


@pytest.mark.parametrize(("err", "token"), REFUSED.values(), ids=REFUSED)
def test_refusals_use_the_words_of_rfc_8935(
    anonymous: APIClient, rows: dict[str, OAuthConnection], err: str, token: Any
) -> None:
    answer = send(anonymous, token())

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert set(answer.json()) == {"err", "description"}
    assert answer.json()["err"] == err
    assert all(is_live(row) for row in rows.values())


def test_a_key_that_was_published_meanwhile_is_found(
    anonymous: APIClient, google: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(anonymous, event_token())
    google.on("GET", "/keys", Answer(json=published(ANOTHER_KEY, "two")))
    monkeypatch.setattr(signing_keys, "SHORTEST_SECONDS", 0.0)

    assert send(anonymous, event_token(key=ANOTHER_KEY, kid="two")).status_code == 202


def test_unknown_keys_do_not_ask_google_each_time(
    anonymous: APIClient, google: PlatformServer
) -> None:
    for _ in range(5):
        send(anonymous, event_token(kid="two"))

    assert len(google.requests_to("/keys")) == 1


@pytest.mark.parametrize(
    "away", [Answer(503), Answer(json=[]), Answer(body=b"{"), Answer(reset=True)]
)
def test_without_its_keys_google_must_send_again(
    anonymous: APIClient,
    google: PlatformServer,
    rows: dict[str, OAuthConnection],
    away: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signing_keys, "QUIET_SECONDS", 0.0)
    google.on("GET", "/keys", away)

    assert send(anonymous, event_token()).status_code == 503
    assert all(is_live(row) for row in rows.values())

    google.on("GET", "/keys", Answer(json=published(KEY)))
    assert send(anonymous, event_token()).status_code == 202


def test_nothing_is_fetched_for_what_is_no_token(
    anonymous: APIClient, google: PlatformServer
) -> None:
    for body in ("hello", "a.b.c", event_token(key="k" * 64, algorithm="HS256")):
        assert send(anonymous, body).status_code == 400
    assert google.requests == []


def test_a_fetch_that_failed_is_remembered(anonymous: APIClient, google: PlatformServer) -> None:
    google.on("GET", "/risc", Answer(503, headers={"Retry-After": "60"}))
    answers = [send(anonymous, event_token()) for _ in range(5)]
    assert [one.status_code for one in answers] == [503] * 5
    assert answers[0].headers["Retry-After"] == "60"
    assert len(google.requests_to("/risc")) == 1


def test_known_keys_serve_while_google_is_away(
    anonymous: APIClient,
    google: PlatformServer,
    rows: dict[str, OAuthConnection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert send(anonymous, event_token({VERIFICATION: {}})).status_code == 202
    monkeypatch.setattr(signing_keys, "LONGEST_SECONDS", 0.0)
    google.on("GET", "/risc", Answer(reset=True))
    assert send(anonymous, event_token()).status_code == 202
    assert not any(is_live(row) for row in rows.values())


def test_nobody_waits_for_anothers_fetch(anonymous: APIClient, google: PlatformServer) -> None:
    configuration = {"issuer": ISSUER, "jwks_uri": f"{google.url}/keys"}
    with hanging(google, "GET", "/risc", Answer(json=configuration)) as one:
        fetching = one.occupy(partial(signing_keys.configuration_of, f"{google.url}/risc"))
        began = time.monotonic()
        assert send(anonymous, event_token()).status_code == 503
        assert time.monotonic() - began < 3
        one.released.set()
        assert fetching.result(10).issuer == ISSUER
    assert send(anonymous, event_token()).status_code == 202


@pytest.mark.parametrize("ahead", [1, 5, 9])
def test_googles_clock_may_be_ahead(
    anonymous: APIClient, rows: dict[str, OAuthConnection], ahead: int
) -> None:
    assert send(anonymous, event_token(iat=int(time.time()) + ahead)).status_code == 202
    assert not any(is_live(row) for row in rows.values())
