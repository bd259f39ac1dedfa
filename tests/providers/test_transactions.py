"""`GET /accounts/{id}/transactions` (docs/api.md, "Accounts and syncs")."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from providers.models import Account, Connection, Transaction
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of


@pytest.fixture
def account(owner: User, bank: Bank) -> Account:
    now = timezone.now()
    return Account.objects.create(
        connection=connection_of(owner), platform_account_id="a", created_at=now, updated_at=now
    )


def movements(account: Account, count: int) -> list[str]:
    """Make transactions, and give their ids, the newest first."""
    now = timezone.now()
    rows = [
        Transaction(
            account=account,
            platform_transaction_id=f"t{number}",
            posted_at=now - timedelta(days=number),
            amount="-3.8",
        )
        for number in range(count)
    ]
    return [str(row.pk) for row in Transaction.objects.bulk_create(rows)]


def get(api: APIClient, account_id: object, **query: Any) -> Any:
    return api.get(f"/api/v1/accounts/{account_id}/transactions", query)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["data"]]


def test_a_transaction_shows_these_fields_and_no_more(api: APIClient, account: Account) -> None:
    (transaction_id,) = movements(account, 1)
    Transaction.objects.update(
        posted_at="2026-11-02T10:00:00.5+00:00", currency="EUR", description="Coffee"
    )
    assert get(api, account.pk).json()["data"] == [
        {
            "id": transaction_id,
            "account_id": str(account.pk),
            "posted_at": "2026-11-02T10:00:00Z",
            "amount": "-3.80",
            "currency": "EUR",
            "description": "Coffee",
        }
    ]


def test_the_newest_comes_first_page_by_page(api: APIClient, account: Account) -> None:
    expected = movements(account, 250)
    pages = [get(api, account.pk, limit=100, page=page) for page in (1, 2, 3, 4)]
    assert [len(ids(page)) for page in pages] == [100, 100, 50, 0]
    assert [one for page in pages for one in ids(page)] == expected
    assert pages[0].json()["pagination"] == {
        "page": 1, "limit": 100, "total": 250, "total_pages": 3,
        "has_next": True, "has_prev": False,
    }  # fmt: skip


def test_those_of_one_moment_keep_their_order(api: APIClient, account: Account) -> None:
    made = movements(account, 6)
    Transaction.objects.update(posted_at=timezone.now())
    got = [one for page in (1, 2, 3) for one in ids(get(api, account.pk, limit=2, page=page))]
    assert got == sorted(made, reverse=True)


def test_only_the_accounts_own_are_shown(api: APIClient, account: Account) -> None:
    now = timezone.now()
    other = Account.objects.create(
        connection=account.connection, platform_account_id="b", created_at=now, updated_at=now
    )
    movements(other, 3)
    assert ids(get(api, account.pk)) == []
    assert len(ids(get(api, str(other.pk).upper()))) == 3


def test_a_limit_over_a_hundred_is_a_400(api: APIClient, account: Account) -> None:
    assert get(api, account.pk, limit=101).json()["errors"][0]["field"] == "limit"


def test_foreign_unknown_and_malformed(
    api: APIClient, outsider: User, account: Account, sign_in: Callable[[User], APIClient]
) -> None:
    assert get(sign_in(outsider), account.pk).status_code == 403
    assert get(api, uuid7()).status_code == 404
    assert get(api, "nonsense").status_code == 404
    # A connection's id is no account's.
    assert get(api, account.connection_id).status_code == 404


def test_they_outlive_a_disconnect_not_a_deletion(api: APIClient, account: Account) -> None:
    movements(account, 1)
    url = f"/api/v1/providers/{account.connection_id}"
    assert api.delete(url).status_code == 204
    assert len(ids(get(api, account.pk))) == 1
    assert api.delete(url).status_code == 204
    assert get(api, account.pk).status_code == 404
    assert Transaction.objects.count() == 1
    assert Connection.objects.count() == 1


def test_no_credentials_are_a_401(anonymous: APIClient, account: Account) -> None:
    assert get(anonymous, account.pk).status_code == 401
