"""`POST /channels/connect` (docs/api.md, "Connecting" and "Channels")."""

from http.cookies import Morsel
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from rest_framework.test import APIClient

from audit.models import AuditEvent
from channels.models import ChannelConnection
from connections_project.connections import flow
from connections_project.identity.models import User
from connections_project.oauth import pkce
from tests.conftest import SignIn, UseCatalogue
from tests.support.absent_redis import NO_REDIS
from tests.support.bank import REDIRECT_URI, query_of
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.chirp import Chirp

CONNECT = "/api/v1/channels/connect"


def begin(api: APIClient, channel: Any = "chirp", **body: Any) -> Any:
    return api.post(CONNECT, {"channel": channel, **body}, format="json")


def test_the_answer_has_address_state_and_lifetime(
    api: APIClient, chirp: Chirp, owner: User
) -> None:
    answer = begin(api)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"authorization_url", "state", "expires_in"}
    assert body["expires_in"] == 600
    preview = flow.peek(body["state"])
    assert preview is not None
    assert (preview.app, preview.slug, preview.principal_id) == ("channels", "chirp", owner.pk)


def test_the_address_has_state_scope_and_challenge(api: APIClient, chirp: Chirp) -> None:
    body = begin(api).json()
    query = query_of(body["authorization_url"])
    assert query["state"] == body["state"]
    assert (query["client_id"], query["scope"]) == ("our client", "write")
    assert (query["redirect_uri"], query["code_challenge_method"]) == (REDIRECT_URI, "S256")


def test_the_verifier_is_sent_with_the_code(api: APIClient, chirp: Chirp) -> None:
    body = begin(api).json()
    api.post("/api/v1/channels/callback", query_params={"code": "c", "state": body["state"]})
    (exchange,) = chirp.token_requests("authorization_code")
    challenge = query_of(body["authorization_url"])["code_challenge"]
    assert pkce.challenge(exchange.form["code_verifier"]) == challenge
    assert exchange.form["redirect_uri"] == REDIRECT_URI


def test_starting_writes_nothing_and_asks_nobody(api: APIClient, chirp: Chirp) -> None:
    begin(api)
    assert not ChannelConnection.objects.exists()
    assert not AuditEvent.objects.exists()
    assert chirp.server.requests == []


def test_a_cookie_ties_the_flow_to_the_browser(api: APIClient, chirp: Chirp) -> None:
    cookie: Morsel[str] = begin(api).cookies["__Host-oauth_flow"]
    assert (cookie["secure"], cookie["httponly"]) == (True, True)
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Lax", "/", 600)


def test_a_service_account_connects_like_a_user(
    service_account: User, chirp: Chirp, sign_in: SignIn
) -> None:
    assert begin(sign_in(service_account)).status_code == 200


@pytest.mark.parametrize("channel", ["nobody", "CHIRP", "x" * 300])
def test_an_unknown_channel_is_not_found(api: APIClient, chirp: Chirp, channel: str) -> None:
    assert refusal(begin(api, channel)) == (404, "CHANNEL_NOT_FOUND")


@pytest.mark.parametrize("status", ["planned", "unsupported"])
def test_a_channel_that_is_not_active_is_not_found(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue, status: str
) -> None:
    use_catalogue(chirp.catalogue(more=f'status = "{status}"'), "chirp")
    assert refusal(begin(api)) == (404, "CHANNEL_NOT_FOUND")


def test_a_platform_of_another_app_is_not_found(api: APIClient, chirp: Chirp) -> None:
    assert refusal(begin(api, "schwab")) == (404, "CHANNEL_NOT_FOUND")


def test_without_a_client_of_ours_it_is_unavailable(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue())
    assert refusal(begin(api)) == (503, "CHANNEL_UNAVAILABLE")


def test_a_suspended_channel_is_unavailable(api: APIClient, chirp: Chirp) -> None:
    call_command("suspend_platform", "chirp", reason="breach")
    assert refusal(begin(api)) == (503, "CHANNEL_UNAVAILABLE")
    call_command("resume_platform", "chirp")
    assert begin(api).status_code == 200


def test_with_the_cache_away_it_is_unavailable(
    api: APIClient, chirp: Chirp, settings: LazySettings
) -> None:
    settings.CACHES = {**settings.CACHES, "default": NO_REDIS}
    assert refusal(begin(api)) == (503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize(
    "uri", ["", f"{REDIRECT_URI}/", "https://evil.example.com/callback", f" {REDIRECT_URI}"]
)
def test_a_redirect_uri_must_match_exactly(api: APIClient, chirp: Chirp, uri: str) -> None:
    assert wrong_fields(begin(api, redirect_uri=uri)) == ["redirect_uri"]
    assert begin(api, redirect_uri=REDIRECT_URI).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "channel"),
        ({"channel": ""}, "channel"),
        ({"channel": 7}, "channel"),
        ({"channel": None}, "channel"),
        ({"channel": "a\0b"}, "channel"),
        ({"channel": "chirp", "redirect_uri": 7}, "redirect_uri"),
    ],
)
def test_a_bad_field_is_named(
    api: APIClient, chirp: Chirp, body: dict[str, Any], field: str
) -> None:
    assert wrong_fields(api.post(CONNECT, body, format="json")) == [field]


def test_without_credentials_it_is_a_401(anonymous: APIClient, chirp: Chirp) -> None:
    answer = begin(anonymous)
    assert refusal(answer) == (401, "AUTHENTICATION_REQUIRED")
    assert answer["WWW-Authenticate"].startswith("Bearer")
