"""Odd transactions of providers: whatever can be read is kept, and nothing ends in a 500."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from providers.models import Account, Transaction
from tests.support.bank import TRANSACTION, Bank
from tests.support.platform_server import Answer
from tests.support.provider_syncing import Sync, set_transactions
from tests.support.sql_statements import counted


@pytest.mark.parametrize(
    ("result", "read"),
    [
        ("2026-11-02", "2026-11-02T00:00:00Z"),
        ("2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z"),
        ("2026-11-02T10:00:00.123456+02:00", "2026-11-02T08:00:00Z"),
        ("2026-11-02 10:00:00", "2026-11-02T10:00:00Z"),
        (1_762_077_600, "2025-11-02T10:00:00Z"),
        (1_762_077_600.75, "2025-11-02T10:00:00Z"),
        (1_762_077_600_999, "2025-11-02T10:00:00Z"),
        ("1762077600", "2025-11-02T10:00:00Z"),
        ("1762077600999", "2025-11-02T10:00:00Z"),
        ("20261102", "2026-11-02T00:00:00Z"),
        ("2026-11-02T10:00:00.123456789Z", "2026-11-02T10:00:00Z"),
        # RFC 3339, section 5.6: in small letters, and with a leap second.
        ("2026-11-02t10:00:00.5z", "2026-11-02T10:00:00Z"),
        (" 2026-11-02T10:00:00Z ", "2026-11-02T10:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2016-12-31T18:59:60.9-05:00", "2016-12-31T23:59:59Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-86_400, "1969-12-31T00:00:00Z"),
    ],
)
def test_the_forms_of_a_date(
    api: APIClient, bank: Bank, sync: Sync, result: Any, read: str
) -> None:
    set_transactions(bank, {**TRANSACTION, "posted_at": result})
    assert sync()["errors"] == 0
    account = Account.objects.get()
    shown = api.get(f"/api/v1/accounts/{account.pk}/transactions").json()["data"]
    assert shown[0]["posted_at"] == read


BAD_DATES: list[Any] = [
    None, "", "yesterday", "2026-02-30", "2026-13-01", "2026-11-02T25:00:00", True, [], {},
    10**15, -(10**15), "20261102100000", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
]  # fmt: skip


BAD_IDS: list[Any] = [None, "", [], "x" * 256]
BAD_AMOUNTS: list[Any] = [None, "", "much", "1e99", True, {}, "1,234", "12,34.5", "1.234,5"]
BAD_AMOUNTS += ["1_000", "\u0661\u0662"]


@pytest.mark.parametrize(
    "odd",
    [
        *({"posted_at": one} for one in BAD_DATES),
        *({"id": one} for one in BAD_IDS),
        *({"amount": one} for one in BAD_AMOUNTS),
        {"description": {"text": "x"}},
        {"currency": ["EUR"]},
    ],
)
def test_an_unreadable_one_counts_as_an_error(bank: Bank, sync: Sync, odd: dict[str, Any]) -> None:
    set_transactions(bank, {**TRANSACTION, **odd}, {**TRANSACTION, "id": "tx-2"}, None, 7)
    counts = sync()
    assert (counts["created"], counts["errors"]) == (1, 1)
    assert Transaction.objects.get().platform_transaction_id == "tx-2"


def test_a_memory_filling_number_is_refused(bank: Bank, sync: Sync) -> None:
    body = b'{"transactions": [{"id": "t", "posted_at": 1e999999999, "amount": 1}]}'
    bank.server.on("GET", "/accounts/acc-1/transactions", Answer(body=body))
    assert sync()["errors"] == 1


def test_ten_thousand_take_bounded_statements(bank: Bank, sync: Sync) -> None:
    entries = [{"id": f"t{number}", "posted_at": 1, "amount": number} for number in range(10_000)]
    set_transactions(bank, *entries)
    # SQLite takes 999 parameters a statement, PostgreSQL a thousand rows.
    for _ in range(2):
        with counted() as statements:
            sync()
        assert len(statements) <= 100
    assert Transaction.objects.count() == 10_000
