"""How many statements a call may take, beside authentication (issue: query budgets)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from connections_project.identity.models import User
from providers.models import Account, Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, many_disconnected
from tests.support.sql_statements import AUTHENTICATION, Statements, counted


def test_authentication_itself_is_one_statement(api: APIClient) -> None:
    with CaptureQueriesContext(connection) as captured:
        api.get("/api/v1/providers")
    assert sum(AUTHENTICATION in query["sql"] for query in captured.captured_queries) == 1


@pytest.mark.parametrize("length", [0, 1, 300])
def test_a_list_takes_two_whatever_its_length(
    api: APIClient, owner: User, bank: Bank, length: int
) -> None:
    many_disconnected(owner, length)
    with counted() as statements:
        assert api.get("/api/v1/providers").json()["total_count"] == length
    assert len(statements) <= 2


def test_a_list_reads_no_ciphertext_nor_rereads(api: APIClient, owner: User, bank: Bank) -> None:
    for number in range(5):
        connection_of(owner, account_id=str(number))
    with counted() as statements:
        api.get("/api/v1/providers")
    assert len(statements) <= 2
    assert "auth_state" not in "".join(statements)


def test_one_connection_takes_one(api: APIClient, row: Connection) -> None:
    with counted() as statements:
        assert api.get(f"/api/v1/providers/{row.pk}").status_code == 200
    assert len(statements) <= 1


def assert_six(api: APIClient, method: Callable[..., Any], url: str, status: int) -> Statements:
    with counted() as statements:
        assert method(url).status_code == status
    assert len(statements) <= 6, "\n".join(statements)
    return statements


@pytest.mark.parametrize("radius", ["token", "grant", "client"])
@pytest.mark.parametrize("siblings", [0, 1])
def test_a_disconnect_takes_six(
    api: APIClient,
    row: Connection,
    outsider: User,
    bank: Bank,
    use_catalogue: Callable[..., None],
    radius: str,
    siblings: int,
) -> None:
    use_catalogue(bank.catalogue(revocation=f'blast_radius = "{radius}"'), "bank")
    for _ in range(siblings):
        connection_of(outsider)
    assert_six(api, api.delete, f"/api/v1/auth/{row.pk}/disconnect", 200)


def test_other_disconnects_and_deletes_take_no_more(api: APIClient, row: Connection) -> None:
    url = f"/api/v1/providers/{row.pk}"
    assert_six(api, api.delete, url, 204)
    assert_six(api, api.delete, f"/api/v1/auth/{row.pk}/disconnect", 200)
    assert_six(api, api.delete, url, 204)


def test_a_disconnect_does_not_read_its_accounts(api: APIClient, row: Connection) -> None:
    now = row.created_at
    Account.objects.bulk_create(
        Account(connection=row, platform_account_id=str(n), created_at=now, updated_at=now)
        for n in range(50)
    )
    statements = assert_six(api, api.delete, f"/api/v1/auth/{row.pk}/disconnect", 200)
    assert not any("providers_account" in sql for sql in statements)


@pytest.mark.parametrize("length", [1, 300])
def test_a_page_of_accounts_takes_two_queries(api: APIClient, row: Connection, length: int) -> None:
    now = row.created_at
    Account.objects.bulk_create(
        Account(connection=row, platform_account_id=str(n), created_at=now, updated_at=now)
        for n in range(length)
    )
    with counted() as statements:
        assert api.get("/api/v1/accounts?limit=100").status_code == 200
    assert len(statements) == 2


def test_a_page_of_transactions_takes_three(api: APIClient, row: Connection) -> None:
    now = row.created_at
    account = Account.objects.create(
        connection=row, platform_account_id="a", created_at=now, updated_at=now
    )
    with counted() as statements:
        assert api.get(f"/api/v1/accounts/{account.pk}/transactions").status_code == 200
    assert len(statements) <= 3


@pytest.mark.django_db(transaction=True)
def test_the_try_at_the_platform_takes_six_more(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    with counted() as statements:
        assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    assert bank.revoked == ["refresh-0", "access-0"]
    # Claim, read, two tokens that were taken, store, audit.
    assert len(statements) <= 6 + 6, "\n".join(statements)
