"""Where a user is sent to grant access."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, authorization_url
from tests.oauth.conftest import REDIRECT_URI, MakePlatform


def url(platform: Platform, registration: ClientRegistration, challenge: str | None = "c") -> str:
    return authorization_url(
        platform, registration, redirect_uri=REDIRECT_URI, state="s&=", code_challenge=challenge
    )


def test_it_has_what_rfc_6749_and_7636_ask_for(
    platform: Platform, registration: ClientRegistration
) -> None:
    parts = urlsplit(url(platform, registration))

    assert parts.path == "/authorize"
    assert dict(parse_qsl(parts.query)) == {
        "response_type": "code",
        "client_id": "client id",
        "redirect_uri": REDIRECT_URI,
        "state": "s&=",
        "code_challenge": "c",
        "code_challenge_method": "S256",
    }


def test_the_endpoints_own_query_is_kept(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    platform = make_platform(authorization_endpoint="https://bank.test/auth?tenant=a%20b")

    query = urlsplit(url(platform, registration)).query

    assert query.startswith("tenant=a%20b&response_type=code")


def test_scopes_are_joined_as_the_platform_wants_them(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    platform = make_platform(scopes=("read", "offline"), scope_separator=",")

    assert parse_qs(urlsplit(url(platform, registration)).query)["scope"] == ["read,offline"]


def test_a_space_is_encoded_as_every_server_reads(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    assert "scope=read%20offline" in url(make_platform(scopes=("read", "offline")), registration)


def test_without_a_challenge_no_method_is_named(
    platform: Platform, registration: ClientRegistration
) -> None:
    assert "code_challenge" not in url(platform, registration, challenge=None)


def test_client_id_name_and_extras_are_configurable(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    platform = make_platform(
        client_id_parameter="client_key",
        extra_authorization_params={"audience": "https://api.test"},
    )

    query = parse_qs(urlsplit(url(platform, registration)).query)

    assert query["client_key"] == ["client id"]
    assert "client_id" not in query
    assert query["audience"] == ["https://api.test"]
