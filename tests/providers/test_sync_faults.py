"""What a platform may do to a sync (docs/api.md, "Accounts and syncs")."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from providers import reader
from providers.models import Account, Connection
from tests.support.bank import ACCOUNT, Bank
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import events


def sync(api: APIClient, row: Connection) -> Any:
    body = {"connection_id": str(row.pk), "force": True}
    return api.post("/api/v1/accounts/syncs", body, format="json")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(500), "server_error"),
        (Answer(429, headers={"Retry-After": "9"}), "rate_limited"),
        (Answer(403, json={}), "refused"),
        (Answer(302, headers={"Location": "/token"}), "redirected"),
        (Answer(body=b"<html>"), "malformed"),
        (Answer(json={"accounts": {"id": "acc-1"}}), "malformed"),
        (Answer(json={}), "malformed"),
        (Answer(json=[ACCOUNT]), "malformed"),
        (Answer(body=b"[" * 100_000), "malformed"),
        (Answer(body=b" " * 3_000_000), "too_large"),
        (Answer(reset=True), "reset"),
    ],
)
def test_a_fault_is_an_audited_502_changing_nothing(
    api: APIClient, row: Connection, bank: Bank, answer: Answer, error: str
) -> None:
    bank.server.on("GET", "/accounts", answer)
    got = sync(api, row)
    assert (got.status_code, got.json()["type"].rsplit("/")[-1]) == (502, "provider_error")
    row.refresh_from_db()
    assert (row.status, row.last_sync_at) == ("active", None)
    assert not Account.objects.exists()
    (event,) = events("provider_data_synced")
    assert (event.outcome, event.details["error"]) == ("failure", error)


def test_a_fault_of_the_refresh_before_it_is_a_502(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    Connection.objects.update(token_expires_at=row.created_at)
    bank.server.on("POST", "/token", Answer(500))
    assert sync(api, row).status_code == 502
    assert bank.server.requests_to("/accounts") == []


def test_missing_transactions_fail_that_account_only(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    entries = [ACCOUNT, {**ACCOUNT, "id": "acc-2"}]
    bank.server.on("GET", "/accounts", Answer(json={"accounts": entries}))
    bank.server.on("GET", "/accounts/acc-2/transactions", Answer(500))
    answer = sync(api, row)
    assert answer.status_code == 201
    assert (answer.json()["created"], answer.json()["errors"]) == (2, 1)
    assert answer.json()["message"] == "2 accounts read, 1 with errors"


def test_a_dripping_server_is_left_at_the_deadline(
    api: APIClient, row: Connection, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SECONDS_A_CALL", 0.3)
    bank.server.on("GET", "/accounts", Answer(json={"accounts": []}, drip_body=0.1))
    began = time.monotonic()
    assert sync(api, row).status_code == 502
    assert time.monotonic() - began < 1.5


def test_slow_accounts_share_one_deadline(
    api: APIClient, row: Connection, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SECONDS_IN_ALL", 0.6)
    entries = [{**ACCOUNT, "id": f"slow-{number}"} for number in range(20)]
    bank.server.on("GET", "/accounts", Answer(json={"accounts": entries}))
    for entry in entries:
        bank.server.on("GET", f"/accounts/{entry['id']}/transactions", Answer(delay=0.25, json={}))
    began = time.monotonic()
    answer = sync(api, row)
    assert time.monotonic() - began < 1.5
    assert (answer.json()["created"], answer.json()["errors"]) == (20, 20)


@pytest.mark.django_db(transaction=True)
def test_a_disconnect_meanwhile_wins(
    api: APIClient, row: Connection, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    def script(_: Request) -> Answer:
        url = f"/api/v1/auth/{row.pk}/disconnect"
        assert with_own_connection(lambda: api.delete(url).status_code) == 200
        return Answer(json={"accounts": [ACCOUNT]})

    bank.server.on("GET", "/accounts", script)
    assert sync(api, row).status_code == 403
    assert not Account.objects.exists()
    row.refresh_from_db()
    assert (row.status, row.last_sync_at) == ("disconnected", None)
