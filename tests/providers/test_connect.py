"""`POST /providers` and `POST /providers/callback` (CONTRACT, sections 3.3 and 3.4)."""

import base64
import hashlib
from typing import Any

from rest_framework.test import APIClient

from audit.models import AuditEvent
from providers.models import Connection
from tests.bank import REDIRECT_URI, Bank, call_back, connect, query_of, start


def test_starting_gives_an_address_with_pkce_and_writes_no_row(api: APIClient, bank: Bank) -> None:
    answer = api.post("/api/v1/providers", {"provider_slug": "bank"}, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"authorization_url", "state", "expires_in"}
    assert body["expires_in"] == 600
    query = query_of(body["authorization_url"])
    assert query["state"] == body["state"]
    assert query["redirect_uri"] == REDIRECT_URI
    assert query["code_challenge_method"] == "S256"
    assert not Connection.objects.exists()


def test_a_callback_exchanges_the_code_with_the_verifier_and_makes_an_active_connection(
    api: APIClient, bank: Bank
) -> None:
    started = api.post(
        "/api/v1/providers", {"provider_slug": "bank", "alias": "Mine"}, format="json"
    ).json()
    answer = call_back(api, started["state"])
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert set(body) == {
        "id", "provider_slug", "alias", "status", "is_connected", "needs_reauthentication",
        "connected_at", "last_sync_at", "created_at", "updated_at",
    }  # fmt: skip
    assert (body["status"], body["alias"], body["is_connected"]) == ("active", "Mine", True)
    (exchange,) = bank.token_requests("authorization_code")
    challenge = query_of(started["authorization_url"])["code_challenge"]
    digest = hashlib.sha256(exchange.form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
    assert exchange.form["redirect_uri"] == REDIRECT_URI
