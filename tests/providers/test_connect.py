"""`POST /providers`: what a flow starts with, and what it leads to (docs/api.md, "Connecting")."""

import base64
import hashlib
import re
import time
from dataclasses import asdict
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration
from providers.models import Connection
from tests.conftest import SignIn, UseCatalogue
from tests.support.bank import REDIRECT_URI, Bank, call_back, query_of, start
from tests.support.provider_connecting import begin, problem

FIELDS = {
    "id", "provider_slug", "alias", "status", "is_connected", "needs_reauthentication",
    "connected_at", "last_sync_at", "created_at", "updated_at",
}  # fmt: skip


def test_starting_uses_pkce_and_writes_no_row(api: APIClient, bank: Bank) -> None:
    answer = begin(api)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"authorization_url", "state", "expires_in"}
    assert body["expires_in"] == 600
    query = query_of(body["authorization_url"])
    assert body["authorization_url"].startswith(f"{bank.server.url}/authorize?")
    assert query["state"] == body["state"]
    assert query["redirect_uri"] == REDIRECT_URI
    assert query["code_challenge_method"] == "S256"
    assert (query["response_type"], query["client_id"]) == ("code", "our client")
    assert not Connection.objects.exists()
    assert not AuditEvent.objects.exists()
    assert bank.server.requests == []


def test_a_callback_makes_an_active_connection(api: APIClient, bank: Bank) -> None:
    started = begin(api, alias="Mine").json()
    answer = call_back(api, started["state"])
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert set(body) == FIELDS
    assert (body["status"], body["alias"], body["is_connected"]) == ("active", "Mine", True)
    assert (body["needs_reauthentication"], body["last_sync_at"]) == (False, None)
    (exchange,) = bank.token_requests("authorization_code")
    challenge = query_of(started["authorization_url"])["code_challenge"]
    digest = hashlib.sha256(exchange.form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
    assert exchange.form["redirect_uri"] == REDIRECT_URI
    assert exchange.form["code"] == "the-code"


def test_without_pkce_no_challenge_or_verifier(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(more='code_challenge_method = "none"'), "bank")
    started = begin(api).json()
    assert "code_challenge" not in started["authorization_url"]
    assert call_back(api, started["state"]).status_code == 201
    assert "code_verifier" not in bank.token_requests("authorization_code")[0].form


def test_the_redirect_uri_is_repeated_at_exchange(
    api: APIClient, bank: Bank, settings: LazySettings
) -> None:
    other = "https://other.example.com/back?tab=1"
    register(settings, REDIRECT_URI, other)
    started = begin(api, redirect_uri=other).json()
    assert query_of(started["authorization_url"])["redirect_uri"] == other
    call_back(api, started["state"])
    assert bank.token_requests("authorization_code")[0].form["redirect_uri"] == other


def register(settings: LazySettings, *redirect_uris: str) -> None:
    clients = settings.OAUTH_CLIENTS
    clients["bank"] = asdict(ClientRegistration("our client", "client secret", redirect_uris))


def test_states_are_256_random_bits(api: APIClient, bank: Bank) -> None:
    states = {start(api) for _ in range(5)}
    assert len(states) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", state) for state in states)


def test_the_cache_keeps_only_sealed_states(api: APIClient, bank: Bank, owner: User) -> None:
    state = start(api, alias="Holiday money")
    kept = cache.get(f"state:{hashlib.sha256(state.encode()).hexdigest()}")
    assert isinstance(kept, str)
    assert kept.startswith("gAAAA")
    for readable in (state, "Holiday money", "bank", REDIRECT_URI):
        assert readable not in kept
    assert cache.get(state) is None


def test_a_state_lives_for_ten_minutes(api: APIClient, bank: Bank) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        in_time, too_late = start(api), start(api)
        clock.shift(timedelta(seconds=599))
        assert call_back(api, in_time).status_code == 201
        clock.shift(timedelta(seconds=2))
        assert problem(call_back(api, too_late)) == (400, "invalid_state")
    assert len(bank.token_requests("authorization_code")) == 1


@pytest.mark.parametrize("alias", [None, "a" * 100, "Sparbuch 🏦", " padded "])
def test_an_alias_is_kept_as_it_was_given(api: APIClient, bank: Bank, alias: str | None) -> None:
    body = call_back(api, start(api, alias=alias)).json()
    assert body["alias"] == (alias and alias.strip())


def test_unknown_fields_are_ignored(api: APIClient, bank: Bank) -> None:
    assert begin(api, colour="blue", status="active").status_code == 201


def test_a_service_account_connects_like_a_user(
    service_account: User, sign_in: SignIn, bank: Bank
) -> None:
    robot = sign_in(service_account)
    assert call_back(robot, start(robot)).status_code == 201
    event = AuditEvent.objects.get(action="provider_connected")
    assert (event.actor_type, event.actor_id) == ("service", service_account.pk)
