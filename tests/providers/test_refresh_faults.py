"""What a platform may do to a refresh: which answer, and what the connection is afterwards.

A passing fault is not a dead grant (docs/api.md, "Refreshing tokens").
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.connections import lease
from connections_project.core.vault import Sealed
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import TOKENS, connection_of, events

GOOD = {"access_token": "access-9", "token_type": "Bearer"}


def refresh(api: APIClient, row: Connection, *, force: bool = True) -> Any:
    url = f"/api/v1/providers/{row.pk}/token-refreshes"
    return api.post(url, {"force": force}, format="json")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(500), "server_error"),
        (Answer(500, json={"error": "invalid_grant"}), "server_error"),
        (Answer(503, headers={"Retry-After": "7"}), "unavailable"),
        (Answer(429, json={"error": "invalid_grant"}), "rate_limited"),
        (Answer(400, json={"error": "invalid_request"}), "refused"),
        (Answer(401, json={"error": "invalid_client"}), "invalid_client"),
        (Answer(403, body=b"blocked"), "refused"),
        (Answer(200, body=b"<html>"), "malformed"),
        (Answer(200, body=b""), "malformed"),
        (Answer(200, json=["access-9"]), "malformed"),
        (Answer(200, json={"token_type": "Bearer"}), "malformed"),
        (Answer(200, json={**GOOD, "access_token": "a\r\nHost: b"}), "malformed"),
        (Answer(307, headers={"Location": "/elsewhere"}), "redirected"),
        (Answer(200, body=b" " * 3_000_000), "too_large"),
        (Answer(reset=True), "reset"),
        (Answer(200, json=GOOD, cut_after=5), "reset"),
        (Answer(raw=b"no HTTP at all\r\n\r\n"), "malformed"),
    ],
)
def test_a_passing_fault_is_a_502_and_changes_nothing(
    api: APIClient, row: Connection, bank: Bank, answer: Answer, error: str
) -> None:
    bank.server.on("POST", "/token", answer)
    got = refresh(api, row)
    assert got.status_code == 502
    assert got.json()["type"].endswith("/provider_error")
    row.refresh_from_db()
    assert (row.status, row.opened()) == ("active", TokenSet("access-0", "refresh-0"))
    (event,) = events("provider_token_refresh_failed")
    assert event.details["error"] == error
    assert len(bank.server.requests) == 1, "A refresh token is never sent twice."


@pytest.mark.parametrize(
    "answer",
    [Answer(json=GOOD, delay=9), Answer(json=GOOD, drip_body=0.2), Answer(drip_headers=0.2)],
)
def test_a_slow_server_is_left_at_the_deadline(
    api: APIClient,
    row: Connection,
    bank: Bank,
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "CALL_SECONDS", 0.5)
    bank.server.on("POST", "/token", answer)
    began = time.monotonic()
    assert refresh(api, row).status_code == 502
    assert 0.4 < time.monotonic() - began < 1.5
    row.refresh_from_db()
    assert row.status == "active"
    (event,) = events("provider_token_refresh_failed")
    assert event.details["error"] == "timeout"


def test_a_platform_that_is_away_is_a_502(
    api: APIClient, row: Connection, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    away = bank.catalogue().replace(bank.server.url, "http://127.0.0.1:1")
    use_catalogue(away, "bank")
    assert refresh(api, row).status_code == 502
    row.refresh_from_db()
    assert row.status == "active"


def test_a_failure_wedges_nothing(api: APIClient, row: Connection, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(500), lambda _: bank.tokens())
    assert [refresh(api, row).status_code for _ in range(2)] == [502, 201]


def test_a_passing_fault_keeps_it_expired(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner, status="expired")
    bank.server.on("POST", "/token", Answer(503))
    assert refresh(api, row, force=False).status_code == 502
    row.refresh_from_db()
    assert row.status == "expired"


def test_unreadable_credentials_are_no_dead_grant(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    Connection.objects.update(auth_state=Sealed("garbled"))
    assert refresh(api, row).status_code == 503
    row.refresh_from_db()
    assert (row.status, row.refresh_lease) == ("active", None)
    assert bank.server.requests == []


def test_another_rows_ciphertext_is_refused(
    api: APIClient, row: Connection, owner: User, bank: Bank
) -> None:
    other = connection_of(owner, account_id="another", tokens=TOKENS)
    Connection.objects.filter(pk=row.pk).update(auth_state=other.auth_state)
    assert refresh(api, row).status_code == 503
    assert bank.server.requests == []
