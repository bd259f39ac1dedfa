"""Reauthorising a connection in place (docs/api.md, "Connecting": `connection_id`)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.revocation.models import GrantHold
from providers.models import Connection, Status
from tests.conftest import UseCatalogue
from tests.support.bank import Bank, call_back, connect, start
from tests.support.provider_connecting import PROVIDERS, events, problem, wrong_fields

Reauthorise = Callable[[Connection], Any]
pytestmark = pytest.mark.usefixtures("unlimited")
GRANT = 'blast_radius = "grant"'


@pytest.fixture
def reauthorise(api: APIClient, django_capture_on_commit_callbacks: Any) -> Reauthorise:
    """Complete a flow for a row, and run the revocations due."""

    def reauthorise(row: Connection) -> Any:
        state = start(api, connection_id=str(row.pk))
        with django_capture_on_commit_callbacks(execute=True):
            return call_back(api, state)

    return reauthorise


def failed_row(api: APIClient, bank: Bank) -> Connection:
    bank.server.on("POST", "/token", bank.tokens(access_token=""))
    call_back(api, start(api, alias="Mine"))
    bank.open()
    return Connection.objects.get(status=Status.FAILED)


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.EXPIRED, Status.REVOKED])
def test_the_row_takes_the_new_grant(
    api: APIClient, bank: Bank, reauthorise: Reauthorise, status: Status
) -> None:
    row = connect(api, alias="Mine")
    Connection.objects.update(status=status, grant_expires_at=timezone.now())
    body = reauthorise(row).json()
    assert (body["id"], body["alias"], body["status"]) == (str(row.pk), "Mine", "active")
    assert body["needs_reauthentication"] is False
    row.refresh_from_db()
    assert row.opened().refresh_token == "refresh-2"
    assert bank.revoked == ["refresh-1", "access-1"]
    assert events("provider_connected")[-1].details["reauthorised"] is True


def test_a_failed_row_comes_alive(api: APIClient, bank: Bank, reauthorise: Reauthorise) -> None:
    row = failed_row(api, bank)
    body = reauthorise(row).json()
    assert (body["id"], body["alias"], body["status"]) == (str(row.pk), "Mine", "active")
    assert Connection.objects.count() == 1
    assert GrantHold.objects.get().connection_id == row.pk


def test_a_fixed_end_of_the_grant_counts_anew(
    api: APIClient, bank: Bank, reauthorise: Reauthorise, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(more="grant_lifetime_days = 7"), "bank")
    row = connect(api)
    Connection.objects.update(grant_expires_at=timezone.now() + timedelta(hours=23))
    assert api.get(f"{PROVIDERS}/{row.pk}").json()["needs_reauthentication"] is True
    assert reauthorise(row).json()["needs_reauthentication"] is False


def test_an_alias_given_with_it_replaces_the_old_one(api: APIClient, bank: Bank) -> None:
    row = connect(api, alias="Old")
    state = start(api, connection_id=str(row.pk), alias="New")
    assert call_back(api, state).json()["alias"] == "New"


def test_the_state_of_a_reauthorisation_writes_no_row(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    start(api, connection_id=str(row.pk).upper())
    assert Connection.objects.get().epoch == row.epoch


def test_another_accounts_tokens_are_revoked(
    api: APIClient, bank: Bank, reauthorise: Reauthorise
) -> None:
    row = connect(api)
    before = Connection.objects.values().get()
    bank.account_id = "customer-8"
    answer = reauthorise(row)
    assert wrong_fields(answer) == ["connection_id"]
    assert "customer" not in answer.content.decode()
    assert Connection.objects.values().get() == before
    assert bank.revoked == ["refresh-2", "access-2"]
    failed = events("provider_connection_failed")[0]
    assert failed.details == {
        "platform": "bank", "error": "account_mismatch", "revocation": "pending",
    }  # fmt: skip


def test_an_unidentified_account_counts_as_another(
    api: APIClient, bank: Bank, reauthorise: Reauthorise, use_catalogue: UseCatalogue
) -> None:
    row = connect(api)
    use_catalogue(bank.catalogue().replace("identity_endpoint", "# identity_endpoint"), "bank")
    assert wrong_fields(reauthorise(row)) == ["connection_id"]
    assert bank.revoked == ["refresh-2", "access-2"]


def test_an_unidentified_row_takes_the_account(
    api: APIClient, bank: Bank, reauthorise: Reauthorise, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue().replace("identity_endpoint", "# identity_endpoint"), "bank")
    row = connect(api)
    use_catalogue(bank.catalogue(), "bank")
    assert reauthorise(row).status_code == 201
    row.refresh_from_db()
    assert row.platform_account_id == "customer-7"


def test_another_accounts_used_grant_is_kept(
    api: APIClient, bank: Bank, reauthorise: Reauthorise, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(revocation=GRANT), "bank")
    row = connect(api)
    bank.account_id = "customer-8"
    other = connect(api)
    assert problem(reauthorise(row)) == (400, "validation_failed")
    assert bank.revoked == []
    assert events("provider_connection_failed")[0].details["revocation"] == "shared_grant"
    other.refresh_from_db()
    assert other.opened().access_token == "access-2"


def test_another_accounts_reissued_token_is_kept(
    api: APIClient, bank: Bank, reauthorise: Reauthorise
) -> None:
    row = connect(api)
    bank.account_id = "customer-8"
    connect(api)
    repeated = {"access_token": "access-2", "refresh_token": "refresh-2"}
    bank.server.on("POST", "/token", lambda _: bank.tokens(**repeated))
    assert problem(reauthorise(row)) == (400, "validation_failed")
    assert bank.revoked == []


def test_another_accounts_unused_grant_is_ended(
    api: APIClient, bank: Bank, reauthorise: Reauthorise, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(revocation=GRANT), "bank")
    row = connect(api)
    bank.account_id = "customer-8"
    reauthorise(row)
    assert bank.revoked == ["refresh-2", "access-2"]


def test_a_failed_row_yields_to_the_accounts_row(
    api: APIClient, bank: Bank, reauthorise: Reauthorise
) -> None:
    failed = failed_row(api, bank)
    row = connect(api)
    answer = reauthorise(failed)
    assert (answer.status_code, answer.json()["id"]) == (201, str(row.pk))
    failed.refresh_from_db()
    assert (failed.status, failed.auth_state) == (Status.FAILED, None)
    row.refresh_from_db()
    assert (row.alias, row.opened().access_token) == (None, "access-3")


def test_a_disconnected_row_takes_nothing(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    state = start(api, connection_id=str(row.pk))
    api.delete(f"{PROVIDERS}/{row.pk}")
    assert problem(call_back(api, state)) == (400, "invalid_state")
    assert len(bank.token_requests("authorization_code")) == 1
    assert events()[-1].details["error"] == "invalid_state"


def test_a_declined_reauthorisation_changes_no_row(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    before = Connection.objects.values().get()
    state = start(api, connection_id=str(row.pk))
    assert problem(call_back(api, state, error="access_denied"))[1] == "authorization_declined"
    assert Connection.objects.values().get() == before


def test_a_suspended_platform_is_refused(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    state = start(api, connection_id=str(row.pk))
    call_command("suspend_platform", "bank", reason="breach")
    assert problem(call_back(api, state)) == (503, "provider_unavailable")
