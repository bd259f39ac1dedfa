"""However much a platform sends, a sync takes in so much, and for so long, and tells the rest."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from providers import reader, statements, storing
from providers.models import Account, Connection, Transaction
from tests.support.bank import ACCOUNT, TRANSACTION, Bank
from tests.support.platform_server import Answer
from tests.support.provider_syncing import Sync, set_accounts
from tests.support.provider_syncing import sync as post

Fill = Callable[..., None]


@pytest.fixture
def fill(bank: Bank) -> Fill:
    """Have the bank list so many accounts, each with so many transactions."""

    def fill(accounts: int, each: int, **more: Any) -> None:
        set_accounts(bank, *({**ACCOUNT, "id": f"acc-{number}"} for number in range(accounts)))
        entries = [{**TRANSACTION, "id": f"tx-{number}"} for number in range(each)]
        for number in range(accounts):
            listed = Answer(json={"transactions": entries, **more})
            bank.server.on("GET", f"/accounts/acc-{number}/transactions", listed)

    return fill


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a sync's time be over once all is read."""
    monkeypatch.setattr(reader.Reader, "is_late", True)


def test_transactions_beyond_the_bound_are_told_and_not_asked_for(
    bank: Bank, fill: Fill, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_MOVEMENTS", 3)
    fill(3, 2)
    counts = sync()
    assert (counts["created"], counts["errors"]) == (3, 2)
    assert Transaction.objects.count() == 3
    assert bank.server.requests_to("/accounts/acc-2/transactions") == []


def test_as_many_as_are_taken_in_are_all(
    fill: Fill, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_MOVEMENTS", 4)
    fill(2, 2)
    assert sync()["errors"] == 0
    assert Transaction.objects.count() == 4


def test_no_page_is_asked_for_in_vain(
    bank: Bank, fill: Fill, sync: Sync, use_catalogue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalogue(bank.catalogue(more='paging = "link"\npaging_field = "next"'), "bank")
    monkeypatch.setattr(reader, "MOST_MOVEMENTS", 2)
    fill(1, 2, next="/accounts/acc-0/transactions?page=2")
    assert sync()["errors"] == 1
    assert len(bank.server.requests_to("/accounts/acc-0/transactions")) == 1


def test_accounts_beyond_the_bound_are_told_and_not_stored(
    fill: Fill, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MOST_ACCOUNTS", 2)
    fill(3, 1)
    counts = sync()
    assert (counts["created"], counts["errors"]) == (2, 1)
    assert Account.objects.count() == Transaction.objects.count() == 2


def test_what_comes_too_late_to_be_stored_is_told(
    api: APIClient, row: Connection, fill: Fill, no_time: None
) -> None:
    fill(2, 1)
    counts = post(api, row.pk).json()
    assert (counts["created"], counts["errors"]) == (2, 2)
    assert not Transaction.objects.exists()
    row.refresh_from_db()
    assert row.last_sync_at is not None


def test_a_row_is_locked_for_a_batch_at_a_time(
    fill: Fill, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "BATCH", 4)
    locked, still_active = [], storing.still_active

    def counted(connection_id: Any) -> Any:
        locked.append(Transaction.objects.count())
        return still_active(connection_id)

    monkeypatch.setattr(storing, "still_active", counted)
    fill(3, 3)
    assert sync()["errors"] == 0
    # For all accounts, and for each batch of the nine transactions, whose ever they are.
    assert locked == [0, 0, 4, 8]
    assert Transaction.objects.count() == 9


def test_what_broke_off_is_made_good_by_the_next(
    api: APIClient, row: Connection, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(2, 2)
    with monkeypatch.context() as broken:
        broken.setattr(reader.Reader, "is_late", True)
        post(api, row.pk)
    counts = post(api, row.pk, force=True).json()
    assert (counts["unchanged"], counts["errors"]) == (2, 0)
    assert Transaction.objects.count() == 4
