"""The authorization code flow with PKCE: what is granted, and what is refused."""

import secrets

import pytest
import requests

from connections_project.sandbox.walk import WalkError
from tests.sandbox.conftest import Client, answer_in
from tests.support.sandbox_server import authorize


@pytest.fixture
def verifier() -> str:
    return secrets.token_urlsafe(48)


def test_allowing_returns_code_state_and_issuer(client: Client, verifier: str) -> None:
    callback = authorize(client.handle, client.authorization_url(verifier=verifier))
    assert callback.startswith(f"{client.handle.redirect_uri}?")
    answer = answer_in(callback)
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("a state", client.handle.url)


@pytest.mark.parametrize("basic", [True, False])
def test_either_client_authentication_works(client: Client, verifier: str, basic: bool) -> None:
    callback = authorize(client.handle, client.authorization_url(verifier=verifier))
    response = client.exchange(callback, verifier=verifier, basic=basic)
    assert response.status_code == 200
    tokens = response.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 1800
    assert tokens["scope"] == "profile accounts transactions"
    assert tokens["access_token"] != tokens["refresh_token"]
    assert response.headers["Cache-Control"] == "no-store"


def test_denying_returns_access_denied_and_issuer(client: Client, verifier: str) -> None:
    url = client.authorization_url(verifier=verifier)
    answer = answer_in(authorize(client.handle, url, allow=False))
    assert answer["error"] == "access_denied"
    assert (answer["state"], answer["iss"]) == ("a state", client.handle.url)


def test_a_code_without_its_verifier_is_refused(client: Client, verifier: str) -> None:
    callback = authorize(client.handle, client.authorization_url(verifier=verifier))
    response = client.exchange(callback, verifier=secrets.token_urlsafe(48))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_good_once(client: Client, verifier: str) -> None:
    callback = authorize(client.handle, client.authorization_url(verifier=verifier))
    assert client.exchange(callback, verifier=verifier).status_code == 200
    response = client.exchange(callback, verifier=verifier)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_a_request_without_pkce_is_refused(client: Client, verifier: str) -> None:
    url = client.authorization_url(
        verifier=verifier, code_challenge=None, code_challenge_method=None
    )
    answer = answer_in(authorize(client.handle, url))
    assert answer["error"] == "invalid_request"
    assert (answer["state"], answer["iss"]) == ("a state", client.handle.url)


@pytest.mark.parametrize("method", ["plain", None])
def test_a_challenge_that_is_not_s256_is_refused(
    client: Client, verifier: str, method: str | None
) -> None:
    url = client.authorization_url(verifier=verifier, code_challenge_method=method)
    assert answer_in(authorize(client.handle, url))["error"] == "invalid_request"


def test_a_scope_that_does_not_exist_is_refused(client: Client, verifier: str) -> None:
    url = client.authorization_url(verifier=verifier, scope="accounts payments")
    assert answer_in(authorize(client.handle, url))["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://localhost:8000/oauth/callback/other",
        "https://localhost:9999/oauth/callback/sandbox",
        "https://evil.example/oauth/callback/sandbox",
    ],
)
def test_an_unregistered_redirect_uri_gets_a_page(
    client: Client, verifier: str, redirect_uri: str
) -> None:
    url = client.authorization_url(verifier=verifier, redirect_uri=redirect_uri)
    with pytest.raises(WalkError, match="status 400"):
        authorize(client.handle, url)


def test_an_unknown_client_is_refused_on_a_page(client: Client, verifier: str) -> None:
    url = client.authorization_url(verifier=verifier, client_id="unknown")
    with pytest.raises(WalkError, match="status 400"):
        authorize(client.handle, url)


def test_a_wrong_client_secret_is_refused(client: Client, verifier: str) -> None:
    response = requests.post(
        f"{client.handle.url}/oauth/token",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        auth=(client.handle.client_id, "wrong"),
        timeout=10,
    )
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_the_log_shows_no_state_code_or_token(client: Client, verifier: str) -> None:
    state = secrets.token_urlsafe(32)
    url = client.authorization_url(verifier=verifier, state=state)
    callback = authorize(client.handle, url)
    tokens = client.exchange(callback, verifier=verifier).json()
    log = client.handle.log_path.read_text(encoding="utf-8")
    assert "GET /oauth/authorize" in log
    for secret in (state, answer_in(callback)["code"], *map(str, tokens.values()), verifier):
        assert secret == "1800" or secret not in log
    assert client.handle.client_secret not in log
