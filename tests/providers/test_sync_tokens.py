"""A sync refreshes what it needs, once (docs/api.md, "Accounts and syncs")."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from providers.models import Connection, Transaction
from tests.conftest import UseCatalogue
from tests.support.bank import ACCOUNT, TRANSACTION, Bank
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of
from tests.support.provider_syncing import sync


def test_an_expiring_token_is_refreshed_first(api: APIClient, owner: User, bank: Bank) -> None:
    issued = timezone.now() - timedelta(minutes=29)
    row = connection_of(owner, now=issued)
    assert sync(api, row.pk).status_code == 201
    assert len(bank.token_requests("refresh_token")) == 1
    assert bank.server.requests_to("/accounts")[0].headers["Authorization"] == "Bearer access-1"


def only(token: str, bank: Bank) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        good = request.headers["Authorization"] == f"Bearer {token}"
        return Answer(json={"accounts": [ACCOUNT]}) if good else Answer(401, json={})

    return answer


def test_a_refused_token_is_refreshed_once(api: APIClient, row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/accounts", only("access-1", bank))
    assert sync(api, row.pk).json()["created"] == 1
    assert len(bank.token_requests("refresh_token")) == 1


def test_a_token_that_runs_out_on_the_way_is_refreshed(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [ACCOUNT]}))
    listed = Answer(json={"transactions": [TRANSACTION]})
    bank.server.on("GET", "/accounts/acc-1/transactions", Answer(401, json={}), listed)
    assert sync(api, row.pk).json()["errors"] == 0
    assert len(bank.token_requests("refresh_token")) == 1
    assert Transaction.objects.count() == 1


def test_transactions_that_are_always_refused_are_an_error_of_theirs(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [ACCOUNT]}))
    bank.server.on("GET", "/accounts/acc-1/transactions", Answer(401, json={}))
    assert sync(api, row.pk).json()["errors"] == 1
    assert len(bank.token_requests("refresh_token")) == 1
    row.refresh_from_db()
    assert row.status == "active"


def test_a_second_refusal_ends_the_connection(api: APIClient, row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/accounts", only("none of these", bank))
    assert sync(api, row.pk).status_code == 502
    assert len(bank.token_requests("refresh_token")) == 1
    assert len(bank.server.requests_to("/accounts")) == 2
    row.refresh_from_db()
    assert (row.status, row.last_sync_at) == ("revoked", None)


def test_a_refused_token_without_refresh_ends_it(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner, tokens=TokenSet("access-0"))
    bank.server.on("GET", "/accounts", Answer(401, json={}))
    assert sync(api, row.pk).status_code == 502
    assert bank.server.requests_to("/token") == []
    row.refresh_from_db()
    assert row.status == "revoked"


def test_the_catalogue_says_what_it_becomes(
    api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    matcher = '{ status = 403, error = "gone", at = "api", becomes = "expired" }'
    use_catalogue(bank.catalogue(more=f"dead_grant = [{matcher}]"), "bank")
    row = connection_of(owner, tokens=TokenSet("access-0"))
    bank.server.on("GET", "/accounts", Answer(403, json={"error": "gone"}))
    assert sync(api, row.pk).status_code == 502
    row.refresh_from_db()
    assert row.status == "expired"


def test_a_dead_grant_expires_the_connection(api: APIClient, row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/accounts", Answer(401, json={}))
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert sync(api, row.pk).status_code == 502
    row.refresh_from_db()
    assert row.status == "expired"
    # A sync never tries an expired grant again.
    assert sync(api, row.pk, force=True).status_code == 403
    assert len(bank.token_requests("refresh_token")) == 1
