"""From code to tokens."""

import base64
from typing import Any

import pytest

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, TokenSet, exchange_code
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.tokens import parse_token_response
from tests.oauth.conftest import REDIRECT_URI, SECRET, MakePlatform
from tests.support.platform_server import Answer, PlatformServer

FULL = {
    "access_token": "at-1",
    "refresh_token": "rt-1",
    "token_type": "Bearer",
    "expires_in": 1800,
    "scope": "read",
}


def exchange(
    platform: Platform, registration: ClientRegistration, verifier: str | None = "v"
) -> TokenSet:
    return exchange_code(
        platform, registration, code="c/1", redirect_uri=REDIRECT_URI, code_verifier=verifier
    )


def answered(server: PlatformServer, **changes: Any) -> None:
    server.on("POST", "/token", Answer(json={**FULL, **changes}))


def test_a_code_becomes_tokens(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    answered(server, user_id="u-1")

    tokens = exchange(platform, registration)

    assert tokens == TokenSet("at-1", "rt-1", 1800, None, "read")
    assert tokens.response["user_id"] == "u-1"
    assert server.requests[0].form == {
        "grant_type": "authorization_code",
        "code": "c/1",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": "v",
    }


def test_basic_credentials_are_form_encoded_first(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    answered(server)

    exchange(platform, registration)

    scheme, encoded = server.requests[0].headers["Authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(encoded) == b"client+id:s3cret%2Fwith%3Aodd+%2Bcharacters"


def test_credentials_go_into_the_body_on_demand(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    answered(server)
    platform = make_platform(
        token_endpoint_auth_method="client_secret_post", client_id_parameter="client_key"
    )

    exchange(platform, registration, verifier=None)

    request = server.requests[0]
    assert request.form["client_key"] == "client id"
    assert request.form["client_secret"] == SECRET
    assert "code_verifier" not in request.form
    assert "Authorization" not in request.headers


def test_a_public_client_sends_its_id_alone(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    answered(server)

    exchange(make_platform(token_endpoint_auth_method="none"), registration)

    assert server.requests[0].form["client_id"] == "client id"
    assert SECRET not in server.requests[0].form.values()


@pytest.mark.parametrize("missing", [None, ""])
def test_no_refresh_token_is_none(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, missing: Any
) -> None:
    answered(server, refresh_token=missing)

    assert exchange(platform, registration).refresh_token is None


@pytest.mark.parametrize(
    ("result", "understood"),
    [
        (3600, 3600),
        (3600.9, 3600),
        ("3600", 3600),
        ("3600.5", 3600),
        (10**12, 315_360_000),
        ("9" * 4000, 315_360_000),
        (1e300, 315_360_000),
        ("1e99999999999999999999", 315_360_000),
        (0, 0),
        (-5, None),
        ("soon", None),
        ("٣٦٠٠", None),
        ("", None),
        (True, None),
        (None, None),
        ([3600], None),
        ({"seconds": 1}, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_lifetimes_are_lenient_nonsense_is_unknown(
    server: PlatformServer,
    platform: Platform,
    registration: ClientRegistration,
    result: Any,
    understood: int | None,
) -> None:
    answered(server, expires_in=result)

    assert exchange(platform, registration).expires_in == understood


@pytest.mark.parametrize("name", ["expires_in", "refresh_expires_in", "scope"])
def test_what_is_nested_too_deep_loses_no_tokens(name: str) -> None:
    """Some parsers go deeper than what they give can be written."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    found = parse_token_response({"access_token": "at", name: deep}, platform="bank")

    assert found.access_token == "at"


@pytest.mark.parametrize("name", ["refresh_expires_in", "refresh_token_expires_in"])
def test_both_names_of_the_refresh_expiry_are_read(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, name: str
) -> None:
    answered(server, **{name: 604800})

    assert exchange(platform, registration).refresh_expires_in == 604800


@pytest.mark.parametrize(
    ("result", "understood"),
    [
        ("a b", "a b"),
        (["a", "b"], "a b"),
        ("a,b", "a b"),
        ("a, b,", "a b"),
        ("", ""),
        (5, None),
        ("a\nb", None),
        (None, None),
    ],
)
def test_a_scope_is_text_list_or_comma_separated(
    server: PlatformServer,
    platform: Platform,
    registration: ClientRegistration,
    result: Any,
    understood: str | None,
) -> None:
    answered(server, scope=result)

    assert exchange(platform, registration).scope == understood


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": ["at"]},
        {"access_token": "at\r\nX-Injected: 1"},
        {"access_token": "at\n"},
        {"access_token": "å"},
        {"refresh_token": "rt\n"},
        {"refresh_token": {"value": "rt"}},
    ],
)
def test_impossible_tokens_are_malformed(
    server: PlatformServer,
    platform: Platform,
    registration: ClientRegistration,
    changes: dict[str, Any],
) -> None:
    answered(server, **changes)

    with pytest.raises(PlatformError) as caught:
        exchange(platform, registration)

    assert caught.value.code == "malformed"


@pytest.mark.parametrize("token_type", ["BearerToken", "DPoP", 7, "", None, ["Bearer"]])
def test_any_token_type_is_taken_for_bearer(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, token_type: Any
) -> None:
    answered(server, token_type=token_type)

    assert exchange(platform, registration).access_token == "at-1"


def test_an_error_with_status_200_is_a_refusal(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(json={"error": "bad_verification_code"}))

    with pytest.raises(PlatformError) as caught:
        exchange(platform, registration)

    assert caught.value.code == "refused"


@pytest.mark.parametrize("code", ["", "c\n1", "\udcff", "é"])
def test_an_impossible_code_is_never_sent(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, code: str
) -> None:
    with pytest.raises(PlatformError):
        exchange_code(
            platform, registration, code=code, redirect_uri=REDIRECT_URI, code_verifier=None
        )

    assert server.requests == []


def test_reprs_show_no_secret(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    answered(server, id_token="header.claims.signature")

    shown = repr(exchange(platform, registration)) + repr(registration)

    for secret in ("at-1", "rt-1", "claims", SECRET):
        assert secret not in shown


def test_sealing_a_token_set_loses_nothing() -> None:
    tokens = TokenSet("at", "rt", 60, None, "read", {"user_id": 1})

    assert TokenSet.from_payload(tokens.as_payload()) == TokenSet("at", "rt")
