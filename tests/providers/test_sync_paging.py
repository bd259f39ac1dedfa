"""Long lists are read to their end, or their being cut is told (docs/catalog.md)."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from providers import paging
from providers.models import Account, Connection, Transaction
from tests.conftest import UseCatalogue
from tests.support.bank import ACCOUNT, TRANSACTION, Bank
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.provider_rows import connection_of
from tests.support.provider_syncing import sync

PATH = "/accounts/acc-1/transactions"
LINK = 'paging = "link"\npaging_field = "next"'


@pytest.fixture
def paged(api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue) -> Any:
    """Sync with these lines in the bank's table, and give the answer's counts."""

    def paged(lines: str) -> Any:
        use_catalogue(bank.catalogue(more=lines), "bank")
        row = Connection.objects.first() or connection_of(owner)
        answer = sync(api, row.pk, force=True)
        return answer.json() if answer.status_code == 201 else answer.status_code

    return paged


def entries(*numbers: int) -> list[Any]:
    return [{**TRANSACTION, "id": f"tx-{number}"} for number in numbers]


def stored() -> list[str]:
    ids = Transaction.objects.values_list("platform_transaction_id", flat=True)
    return sorted(ids)


def test_a_cursor_leads_on(bank: Bank, paged: Any) -> None:
    pages = {
        "": {"transactions": entries(1), "more": {"cursor": "a b&c"}},
        "a b&c": {"transactions": entries(2), "more": {"cursor": 3}},
        "3": {"transactions": entries(3), "more": {}},
    }
    bank.server.on("GET", PATH, lambda one: Answer(json=pages[one.query.get("at", "")]))
    counts = paged('paging = "cursor"\npaging_field = "more.cursor"\npaging_parameter = "at"')
    assert (counts["errors"], stored()) == (0, ["tx-1", "tx-2", "tx-3"])


def test_an_offset_leads_on(bank: Bank, paged: Any) -> None:
    def page(request: Request) -> Answer:
        first = int(request.query.get("skip", "0"))
        return Answer(json={"transactions": entries(*range(first, min(first + 2, 4)))})

    bank.server.on("GET", PATH, page)
    counts = paged('paging = "offset"\npaging_parameter = "skip"\npage_size = 2')
    assert (counts["errors"], len(stored())) == (0, 4)
    asked = [one.query.get("skip") for one in bank.server.requests_to(PATH)]
    assert asked == [None, "2", "4"]


@pytest.mark.parametrize("field", ['paging_field = "next"', ""])
def test_a_link_leads_on(bank: Bank, paged: Any, field: str) -> None:
    url = f"{bank.server.url}{PATH}?page=2"
    first = {"transactions": entries(1), "next": f"{PATH}?page=2"}
    header = {"Link": f'<{url}>; rel="next", <{url}>; rel="last"'}
    bank.server.on("GET", PATH, Answer(json=first, headers=header),
                   Answer(json={"transactions": entries(2), "next": None}))  # fmt: skip
    assert paged(f'paging = "link"\n{field}')["errors"] == 0
    assert stored() == ["tx-1", "tx-2"]
    assert bank.server.requests_to(PATH)[1].query == {"page": "2"}


@pytest.mark.parametrize(
    "link", ["https://evil.example.com/x", "//evil.example.com/x", "http://[", 7, {}]
)
def test_a_link_elsewhere_is_not_followed(bank: Bank, paged: Any, link: Any) -> None:
    bank.server.on("GET", PATH, Answer(json={"transactions": entries(1), "next": link}))
    assert paged(LINK)["errors"] == 1
    assert (stored(), len(bank.server.requests_to(PATH))) == (["tx-1"], 1)


@pytest.mark.parametrize("query", ["since=2025-12-01 10:00", "from=https://me@elsewhere.example"])
def test_a_query_may_hold_what_a_host_may_not(bank: Bank, paged: Any, query: str) -> None:
    link = f"{bank.server.url}{PATH}?page=2&{query}"
    first = {"transactions": entries(1), "next": link}
    bank.server.on(
        "GET", PATH, Answer(json=first), Answer(json={"transactions": entries(2), "next": None})
    )
    assert paged(LINK)["errors"] == 0
    assert stored() == ["tx-1", "tx-2"]


def test_a_link_that_only_looks_like_here_is_not_followed(bank: Bank, paged: Any) -> None:
    """For `urlsplit` a backslash is part of the user's name, for urllib3 the end of the host."""
    with PlatformServer() as elsewhere:
        host, there = (
            urlsplit(bank.server.url).netloc,
            elsewhere.url.replace("127.0.0.1", "localhost"),
        )
        link = f"{there}\\@{host}{PATH}?page=2"
        bank.server.on("GET", PATH, Answer(json={"transactions": entries(1), "next": link}))
        assert paged(LINK)["errors"] == 1
        assert elsewhere.requests == []
    assert (stored(), len(bank.server.requests_to(PATH))) == (["tx-1"], 1)


@pytest.mark.parametrize("following", [None, "", False])
def test_nothing_follows_the_last_page(bank: Bank, paged: Any, following: Any) -> None:
    told = {"transactions": entries(1), "next": following}
    bank.server.on("GET", PATH, Answer(json=told))
    for paging_by in (LINK, 'paging = "cursor"\npaging_field = "next"\npaging_parameter = "at"'):
        assert paged(paging_by)["errors"] == 0
    assert len(bank.server.requests_to(PATH)) == 2


@pytest.mark.parametrize("cursor", [{"at": 1}, [1], True, 1.5])
def test_a_cursor_that_is_none_cuts_the_list(bank: Bank, paged: Any, cursor: Any) -> None:
    bank.server.on("GET", PATH, Answer(json={"transactions": entries(1), "next": cursor}))
    by_cursor = 'paging = "cursor"\npaging_field = "next"\npaging_parameter = "at"'
    assert (paged(by_cursor)["errors"], stored()) == (1, ["tx-1"])


def test_a_circle_is_left(bank: Bank, paged: Any) -> None:
    bank.server.on("GET", PATH, Answer(json={"transactions": entries(1), "next": PATH}))
    assert paged(LINK)["errors"] == 1
    assert len(bank.server.requests_to(PATH)) == 1


def endless(bank: Bank, **more: Any) -> None:
    def page(request: Request) -> Answer:
        number = int(request.query.get("page", "1"))
        following = f"{PATH}?page={number + 1}"
        return Answer(json={"transactions": entries(number), "next": following, **more})

    bank.server.on("GET", PATH, page)


def test_an_endless_list_is_cut(bank: Bank, paged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 5)
    endless(bank)
    assert paged(LINK)["errors"] == 1
    assert len(stored()) == len(bank.server.requests_to(PATH)) == 5


def test_a_list_of_too_many_bytes_is_cut(
    bank: Bank, paged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_BYTES", 30_000)
    endless(bank, padding="x" * 10_000)
    assert paged(LINK)["errors"] == 1
    assert len(stored()) == 3


def test_a_full_page_without_a_next_one_counts_as_cut(bank: Bank, paged: Any) -> None:
    bank.server.on("GET", PATH, Answer(json={"transactions": entries(1, 2)}))
    assert paged("page_size = 2")["errors"] == 1
    assert paged("page_size = 3")["errors"] == 0


def test_transactions_before_a_fault_are_kept(bank: Bank, paged: Any) -> None:
    first = {"transactions": entries(1), "next": f"{PATH}?page=2"}
    bank.server.on("GET", PATH, Answer(json=first), Answer(503))
    assert paged(LINK)["errors"] == 1
    assert stored() == ["tx-1"]


def test_accounts_that_fail_halfway_change_nothing(bank: Bank, paged: Any) -> None:
    first = {"accounts": [ACCOUNT], "next": "/accounts?page=2"}
    bank.server.on("GET", "/accounts", Answer(json=first), Answer(503))
    assert paged(LINK) == 502
    assert not Account.objects.exists()


def test_accounts_that_are_cut_are_told(bank: Bank, paged: Any) -> None:
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [ACCOUNT], "next": "/accounts"}))
    counts = paged(LINK)
    assert (counts["created"], counts["errors"]) == (1, 1)


def test_reading_may_end_where_it_gets_old(bank: Bank, paged: Any) -> None:
    old = [*entries(1), {**TRANSACTION, "id": "tx-0", "posted_at": "2020-01-01"}]
    bank.server.on("GET", PATH, Answer(json={"transactions": old, "next": f"{PATH}?page=2"}))
    assert paged(f"{LINK}\ntransactions_newest_first = true")["errors"] == 0
    assert len(bank.server.requests_to(PATH)) == 1


@pytest.mark.parametrize(
    ("currency", "balance"),
    [("EUR", "12045.67"), ("JPY", "1204567"), ("BHD", "1204.567"), ("", "12045.67")],
)
def test_minor_units_are_those_of_the_currency(
    bank: Bank, paged: Any, currency: str, balance: str
) -> None:
    account = {**ACCOUNT, "balance": 1204567, "currency": currency}
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [account]}))
    bank.server.on("GET", PATH, Answer(json={"transactions": [
        {"id": "tx-1", "posted_at": "2026-11-02", "amount": -1204567, "description": None}
    ]}))  # fmt: skip
    paged("minor_units = true")
    assert str(Account.objects.get().balance.normalize()) == balance
    movement = Transaction.objects.get()
    assert (str(movement.amount.normalize()), movement.currency) == (f"-{balance}", currency)


def test_a_constant_currency_is_for_those_that_tell_none(bank: Bank, paged: Any) -> None:
    account = {"id": "acc-1", "name": "Everyday", "balance": "1"}
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [account, {**ACCOUNT, "id": "2"}]}))
    paged('currency = "USD"')
    assert sorted(Account.objects.values_list("currency", flat=True)) == ["EUR", "USD"]


def test_a_balance_may_stand_elsewhere(bank: Bank, paged: Any) -> None:
    lines = f'balance_endpoint = "{bank.server.url}/balance?of={{account_id}}"'
    bank.server.on("GET", "/balance", Answer(json={"balance": "7.5"}), Answer(503))
    assert paged(lines)["errors"] == 0
    assert bank.server.requests_to("/balance")[0].query == {"of": "acc-1"}
    assert Account.objects.get().balance == 7.5
    # One that can't be had is no balance of nothing.
    assert paged(lines)["errors"] == 1
    assert Account.objects.get().balance == 7.5


def test_an_account_without_a_path_has_no_false_empty_list(bank: Bank, paged: Any) -> None:
    assert paged('account_fields = { path_id = "hash" }')["errors"] == 1
    assert bank.server.requests_to(PATH) == []


def test_what_moved_no_money_is_left_out(bank: Bank, paged: Any) -> None:
    first, second, third = entries(1, 2, 3)
    pages = [{**first, "status": "failed"}, {**second, "reason": "x"}, {**third, "reason": ""}]
    bank.server.on("GET", PATH, Answer(json={"transactions": pages}))
    lines = 'transaction_excluded = { status = ["failed"], reason = ["*"] }'
    assert (paged(lines)["errors"], stored()) == (0, ["tx-3"])


@pytest.mark.django_db(transaction=True)
def test_each_request_bears_the_platforms_headers(api: APIClient, bank: Bank, paged: Any) -> None:
    paged('user_agent = "web:app:1 (by /u/ada)"\nextra_headers = { CB-VERSION = "2024-12-01" }')
    api.delete(f"/api/v1/providers/{Connection.objects.get().pk}")
    assert bank.revoked
    for request in bank.server.requests:
        assert request.headers["User-Agent"] == "web:app:1 (by /u/ada)"
        assert request.headers["CB-VERSION"] == "2024-12-01"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_another_host_is_asked_where_one_refuses(bank: Bank, paged: Any, status: int) -> None:
    bank.server.on("GET", "/accounts", Answer(status), Answer(json={"accounts": [ACCOUNT]}))
    assert paged(f'fallback_api_base = "{bank.server.url}"')["created"] == 1
    assert len(bank.server.requests_to("/accounts")) == 2
