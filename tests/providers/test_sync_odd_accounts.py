"""Odd accounts of providers: whatever can be read is kept, and nothing ends in a 500."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from providers.models import Account, Connection, Transaction
from tests.support.bank import ACCOUNT, TRANSACTION, Bank
from tests.support.platform_server import Answer
from tests.support.provider_syncing import Sync, set_accounts
from tests.support.provider_syncing import sync as sync_of


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ("1204.50", "1204.50"),
        (1204.5, "1204.50"),
        (7, "7.00"),
        ("-0", "0.00"),
        ("-1e-30", "0.00"),
        ("1,204.50", "1204.50"),
        ("-1,234,567", "-1234567.00"),
        ("0.00000000", "0.00"),
        ("1e3", "1000.00"),
        (0.1, "0.10"),
        # As exact as they come, on both databases.
        ("1234567890.123456789012345678", "1234567890.123456789012345678"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("-12345678901.5", "-12345678901.50"),
        ("0.0000000000000000004", "0.00"),
        (None, None),
    ],
)
def test_a_balance_is_kept_exactly(
    api: APIClient, bank: Bank, sync: Sync, result: Any, shown: str | None
) -> None:
    set_accounts(bank, {**ACCOUNT, "balance": result})
    assert sync()["created"] == 1
    assert api.get("/api/v1/accounts").json()["data"][0]["balance"] == shown
    # Nothing was lost, so that nothing looks changed.
    assert sync()["unchanged"] == 1


@pytest.mark.parametrize(
    "balance",
    ["much", "", "NaN", "Infinity", "1e20", "1e999999999", "9" * 400, True, [], {"amount": 1}],
)
def test_a_nonsensical_balance_is_an_error(bank: Bank, sync: Sync, balance: Any) -> None:
    set_accounts(bank, {**ACCOUNT, "balance": balance}, {**ACCOUNT, "id": "acc-2"})
    bank.server.on("GET", "/accounts/acc-2/transactions", Answer(json={"transactions": []}))
    counts = sync()
    assert (counts["created"], counts["errors"]) == (1, 1)


@pytest.mark.parametrize("account_id", [None, "", "  ", True, 1.5, [], {}, "x" * 256, "\x00"])
def test_an_account_without_a_usable_id_is_an_error(
    bank: Bank, sync: Sync, account_id: Any
) -> None:
    set_accounts(bank, {**ACCOUNT, "id": account_id})
    counts = sync()
    if account_id == 1.5:
        assert counts["created"] == 1
    else:
        assert (counts["created"], counts["errors"]) == (0, 1)


@pytest.mark.parametrize("entry", [None, 7, "acc-1", [], {}])
def test_an_account_that_is_none_is_an_error(bank: Bank, sync: Sync, entry: Any) -> None:
    set_accounts(bank, entry)
    assert sync()["errors"] == 1


def test_a_numeric_id_is_taken_as_digits(bank: Bank, sync: Sync) -> None:
    set_accounts(bank, {**ACCOUNT, "id": 900_719_925_474_099_312})
    assert sync()["created"] == 1
    assert Account.objects.get().platform_account_id == "900719925474099312"
    set_accounts(bank, {**ACCOUNT, "id": "900719925474099312"})
    assert sync()["unchanged"] == 1


def test_an_id_cannot_redirect_the_call(bank: Bank, sync: Sync) -> None:
    set_accounts(bank, {**ACCOUNT, "id": "a/b?c=d#e"})
    sync()
    assert bank.server.requests[-1].path == "/accounts/a%2Fb%3Fc%3Dd%23e/transactions"


def test_the_same_account_twice_is_one(bank: Bank, sync: Sync) -> None:
    set_accounts(bank, ACCOUNT, ACCOUNT)
    assert sync()["created"] == 1
    assert Account.objects.count() == 1


def test_long_texts_are_cut_and_cleaned(bank: Bank, sync: Sync) -> None:
    odd = {**ACCOUNT, "name": "N\x00ame\ud800 " + "x" * 999, "type": "t" * 99, "currency": "c" * 99}
    set_accounts(bank, odd)
    assert sync()["created"] == 1
    account = Account.objects.get()
    assert account.name.startswith("N ame  x")
    assert (len(account.name), len(account.type), len(account.currency)) == (255, 64, 16)


def test_missing_texts_are_empty(bank: Bank, sync: Sync) -> None:
    set_accounts(bank, {"id": "acc-1"})
    sync()
    account = Account.objects.get()
    assert (account.name, account.type, account.currency, account.balance) == ("", "", "", None)


def test_an_undeclared_field_is_empty(
    bank: Bank, sync: Sync, use_catalogue: Callable[..., None]
) -> None:
    """As Schwab's names and Monzo's balances."""
    fields = 'account_fields = { id = "id", name = "", balance = "", currency = "" }'
    use_catalogue(bank.catalogue(more=fields), "bank")
    assert sync()["created"] == 1
    account = Account.objects.get()
    assert (account.name, account.currency, account.balance) == ("", "", None)
    assert account.type == "checking"


def test_the_catalogue_says_where_fields_are(
    bank: Bank, sync: Sync, use_catalogue: Callable[..., None]
) -> None:
    more = """
accounts_field = ""
account_fields = { id = "a.0.number", name = "a.0.names.1", type = "t", balance = "b.c" }
transactions_field = "page.items"
"""
    use_catalogue(bank.catalogue(more=more), "bank")
    entry = {"a": [{"number": 7, "names": ["x", "Mine"]}], "b": {"c": "1.5"}}
    bank.server.on("GET", "/accounts", Answer(json=[entry]))
    result = Answer(json={"page": {"items": [TRANSACTION]}})
    bank.server.on("GET", "/accounts/7/transactions", result)
    assert sync()["errors"] == 0
    account = Account.objects.get()
    assert (account.platform_account_id, account.name, account.balance) == (
        "7",
        "Mine",
        Decimal("1.5"),
    )
    assert Transaction.objects.count() == 1


def test_statements_do_not_grow_with_the_accounts(
    bank: Bank, sync: Sync, django_assert_max_num_queries: Any
) -> None:
    entries = [{**ACCOUNT, "id": f"many-{number}"} for number in range(100)]
    for entry in entries:
        path = f"/accounts/{entry['id']}/transactions"
        bank.server.on("GET", path, Answer(json={"transactions": [TRANSACTION]}))
    set_accounts(bank, *entries)
    with django_assert_max_num_queries(30):
        assert sync()["created"] == 100
    set_accounts(bank, *({**entry, "balance": "1"} for entry in entries))
    with django_assert_max_num_queries(30):
        assert sync()["updated"] == 100


@pytest.mark.parametrize("written", ["EUR", "eur", " eur "])
def test_a_currency_is_written_in_one_way(bank: Bank, sync: Sync, written: str) -> None:
    set_accounts(bank, {**ACCOUNT, "currency": written})
    sync()
    assert Account.objects.get().currency == "EUR"


@pytest.mark.parametrize("path", ["accounts", "data.accounts", ""])
def test_null_is_an_empty_list(
    bank: Bank, sync: Sync, use_catalogue: Callable[..., None], path: str
) -> None:
    use_catalogue(bank.catalogue(more=f'accounts_field = "{path}"'), "bank")
    told = {"accounts": {"accounts": None}, "data.accounts": {"data": {"accounts": None}}}
    bank.server.on("GET", "/accounts", Answer(body=json.dumps(told.get(path)).encode()))
    assert sync()["errors"] == 0


@pytest.mark.parametrize("listed", [{"accounts": []}, {"accounts": None}])
def test_errors_and_no_account_are_not_that_there_is_none(
    api: APIClient, row: Connection, bank: Bank, listed: dict[str, Any]
) -> None:
    bank.server.on("GET", "/accounts", Answer(json={**listed, "errors": [{"id": "internal"}]}))
    assert sync_of(api, row.pk).status_code == 502


def test_a_list_with_errors_is_not_whole(bank: Bank, sync: Sync) -> None:
    refused = [{"AccountID": "acc-2", "Error": "Forbidden"}]
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [ACCOUNT], "Errors": refused}))
    counts = sync()
    assert (counts["created"], counts["errors"]) == (1, 1)
