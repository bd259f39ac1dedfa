"""`POST /accounts/syncs` (docs/api.md, "Accounts and syncs")."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from providers.models import Account, Connection, Transaction
from tests.support.bank import ACCOUNT, TRANSACTION, Bank
from tests.support.platform_server import Answer
from tests.support.provider_connecting import wrong_fields
from tests.support.provider_rows import connection_of, events
from tests.support.provider_syncing import URL, sync


def test_accounts_and_transactions_are_read(api: APIClient, row: Connection, bank: Bank) -> None:
    answer = sync(api, row.pk)
    assert answer.status_code == 201
    assert answer.json() == {
        "created": 1, "updated": 0, "unchanged": 0, "errors": 0, "message": "1 account read",
    }  # fmt: skip
    account = Account.objects.get()
    assert (account.name, account.type, account.currency) == ("Everyday", "checking", "EUR")
    assert (str(account.balance.normalize()), account.connection_id) == ("1204.5", row.pk)
    movement = Transaction.objects.get()
    assert (str(movement.amount.normalize()), movement.description) == ("-3.8", "Coffee")
    assert movement.posted_at.isoformat() == "2026-11-02T00:00:00+00:00"
    asked = [request.headers["Authorization"] for request in bank.server.requests]
    assert asked == ["Bearer access-0"] * 2


def test_new_changed_and_unchanged_are_counted(api: APIClient, row: Connection, bank: Bank) -> None:
    sync(api, row.pk)
    first = Account.objects.get()
    entries = [{**ACCOUNT, "balance": "9.00"}, {**ACCOUNT, "id": "acc-2"}]
    bank.server.on("GET", "/accounts", Answer(json={"accounts": entries}))
    bank.server.on("GET", "/accounts/acc-2/transactions", Answer(json={"transactions": []}))
    counts = sync(api, row.pk, force=True).json()
    assert (counts["created"], counts["updated"], counts["unchanged"]) == (1, 1, 0)
    counts = sync(api, row.pk, force=True).json()
    assert (counts["created"], counts["updated"], counts["unchanged"]) == (0, 0, 2)
    first.refresh_from_db()
    assert first.balance == 9
    assert Transaction.objects.count() == 1


def test_a_corrected_transaction_keeps_its_id(api: APIClient, row: Connection, bank: Bank) -> None:
    sync(api, row.pk)
    before = Transaction.objects.get()
    corrected = {**TRANSACTION, "amount": "-4.00", "description": "Tea"}
    path = "/accounts/acc-1/transactions"
    bank.server.on("GET", path, Answer(json={"transactions": [corrected]}))
    sync(api, row.pk, force=True)
    after = Transaction.objects.get()
    assert (after.pk, after.amount, after.description) == (before.pk, -4, "Tea")


def test_what_the_provider_drops_stays(api: APIClient, row: Connection, bank: Bank) -> None:
    sync(api, row.pk)
    bank.server.on("GET", "/accounts", Answer(json={"accounts": []}))
    assert sync(api, row.pk, force=True).json()["message"] == "0 accounts read"
    assert Account.objects.count() == Transaction.objects.count() == 1


def test_it_stores_its_time_and_spares_a_refresh(api: APIClient, row: Connection) -> None:
    sync(api, row.pk)
    shown = api.get(f"/api/v1/providers/{row.pk}").json()
    assert shown["last_sync_at"] == shown["updated_at"] is not None
    epoch = row.epoch
    row.refresh_from_db()
    assert row.epoch == epoch


def test_it_is_audited(api: APIClient, row: Connection) -> None:
    answer = sync(api, row.pk)
    (event,) = events("provider_data_synced")
    assert (event.subject_id, event.trace_id) == (row.pk, answer["X-Trace-Id"])
    counts = {"created": 1, "updated": 0, "unchanged": 0, "errors": 0}
    assert event.details == {"platform": "bank", "accounts": counts}


def test_within_five_minutes_it_is_a_429(api: APIClient, row: Connection, bank: Bank) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sync(api, row.pk)
        clock.shift(timedelta(seconds=100))
        asked = len(bank.server.requests)
        answer = sync(api, row.pk)
        assert answer.status_code == 429
        assert answer.json()["type"].endswith("/rate_limit_exceeded")
        wait = int(answer["Retry-After"])
        assert 200 <= wait <= 201
        assert len(bank.server.requests) == asked
        clock.shift(timedelta(seconds=wait))
        assert sync(api, row.pk).status_code == 201


def test_forced_it_is_done_anyway(api: APIClient, row: Connection) -> None:
    assert [sync(api, row.pk, force=True).status_code for _ in range(2)] == [201, 201]


@pytest.mark.parametrize("status", ["pending", "expired", "revoked", "failed", "disconnected"])
def test_in_any_status_but_active_it_is_a_403(
    api: APIClient, owner: User, bank: Bank, status: str
) -> None:
    row = connection_of(owner, status=status)
    assert sync(api, row.pk, force=True).status_code == 403
    assert bank.server.requests == []


def test_foreign_unknown_and_malformed(
    api: APIClient, outsider: User, row: Connection, sign_in: Callable[[User], APIClient]
) -> None:
    assert sync(sign_in(outsider), row.pk).status_code == 403
    assert sync(api, uuid7()).status_code == 404
    assert wrong_fields(sync(api, "nonsense")) == ["connection_id"]
    assert sync(api, str(row.pk).upper()).status_code == 201


def test_a_suspended_platform_is_a_503(api: APIClient, row: Connection) -> None:
    Suspension.objects.create(slug="bank", reason="broken", suspended_at=timezone.now())
    assert sync(api, row.pk).status_code == 503


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        ("[]", "body"),
        ("{}", "connection_id"),
        ('{"connection_id": 7}', "connection_id"),
        ('{"connection_id": null}', "connection_id"),
        ('{"connection_id": ""}', "connection_id"),
        ('{"connection_id": "a\\u0000"}', "connection_id"),
        ('{"connection_id": "01a22359-932f-7400-a612-efc3fbb77482", "force": "yes"}', "force"),
    ],
)
def test_a_wrong_body_is_a_400_that_names_the_field(api: APIClient, body: str, field: str) -> None:
    answer = api.post(URL, body, content_type="application/json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert (error["code"] == "required") is (body == "{}")


def test_another_media_type_is_a_415(api: APIClient) -> None:
    assert api.post(URL, "x", content_type="text/plain").status_code == 415
