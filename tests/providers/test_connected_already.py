"""Connecting an account that this user has connected already (docs/api.md, "Callbacks")."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.revocation.grants import remove_holders
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection, Status
from tests.conftest import SignIn, UseCatalogue
from tests.support.bank import Bank, call_back, connect, start
from tests.support.provider_connecting import PROVIDERS, events

Reconnect = Callable[..., Connection]
pytestmark = pytest.mark.usefixtures("unlimited")


@pytest.fixture
def reconnect(api: APIClient, django_capture_on_commit_callbacks: Any) -> Reconnect:
    """Connect, and run the revocations due."""

    def reconnect(**body: Any) -> Connection:
        with django_capture_on_commit_callbacks(execute=True):
            return connect(api, **body)

    return reconnect


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.EXPIRED, Status.REVOKED])
def test_the_existing_row_takes_the_fresh_credentials(
    bank: Bank, reconnect: Reconnect, status: Status
) -> None:
    row = reconnect()
    Connection.objects.update(status=status)
    again = reconnect()
    assert again.pk == row.pk
    assert Connection.objects.count() == 1
    assert (again.status, again.opened().access_token) == (Status.ACTIVE, "access-2")
    assert again.epoch > row.epoch
    assert again.connected_at is not None
    assert row.connected_at is not None
    assert again.connected_at > row.connected_at
    assert again.created_at == row.created_at
    assert GrantHold.objects.get().connection_id == row.pk


def test_the_tokens_that_were_replaced_are_revoked(bank: Bank, reconnect: Reconnect) -> None:
    reconnect()
    reconnect()
    assert bank.revoked == ["refresh-1", "access-1"]
    assert [(event.action, event.details.get("reauthorised")) for event in events()] == [
        ("provider_connected", False),
        ("provider_connected", True),
        ("token_revoked", None),
    ]


@pytest.mark.parametrize("blast_radius", ["grant", "client"])
@pytest.mark.parametrize("is_dead", [False, True])
def test_a_shared_grant_is_not_revoked(
    bank: Bank, reconnect: Reconnect, use_catalogue: UseCatalogue, blast_radius: str, is_dead: bool
) -> None:
    entry = bank.catalogue(revocation=f'blast_radius = "{blast_radius}"')
    use_catalogue(entry, "bank")
    row = reconnect()
    if is_dead:
        # What a refresh leaves behind that was refused for good.
        Connection.objects.update(status=Status.EXPIRED)
        remove_holders(row.pk)
    assert reconnect().opened().access_token == "access-2"
    assert bank.revoked == []
    assert not RevocationJob.objects.exists()


@pytest.mark.parametrize("repeated", [{"access_token": "access-1"}, {"refresh_token": "refresh-1"}])
def test_a_reissued_token_is_not_revoked(
    bank: Bank, reconnect: Reconnect, repeated: dict[str, str]
) -> None:
    reconnect()
    bank.server.on("POST", "/token", lambda _: bank.tokens(**repeated))
    assert reconnect().status == Status.ACTIVE
    assert bank.revoked == []
    assert not RevocationJob.objects.exists()


def test_unreadable_credentials_are_replaced(
    bank: Bank, reconnect: Reconnect, settings: LazySettings
) -> None:
    reconnect()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert reconnect().opened().access_token == "access-2"
    assert bank.revoked == []


def test_a_new_alias_replaces_none_keeps_it(bank: Bank, reconnect: Reconnect) -> None:
    reconnect(alias="Old")
    assert reconnect().alias == "Old"
    assert reconnect(alias="New").alias == "New"


def test_another_account_makes_a_row_of_its_own(bank: Bank, reconnect: Reconnect) -> None:
    first = reconnect()
    bank.account_id = "customer-8"
    assert reconnect().pk != first.pk
    first.refresh_from_db()
    assert first.opened().access_token == "access-1"
    assert bank.revoked == []


def test_another_providers_account_is_another_row(
    bank: Bank, reconnect: Reconnect, use_catalogue: UseCatalogue, api: APIClient
) -> None:
    use_catalogue(bank.catalogue() + bank.catalogue("other"), "bank", "other")
    first = reconnect()
    assert reconnect(slug="other").pk != first.pk


def test_another_users_account_is_another_row(
    bank: Bank, reconnect: Reconnect, outsider: User, sign_in: SignIn
) -> None:
    mine = reconnect()
    theirs = connect(sign_in(outsider))
    assert theirs.pk != mine.pk
    mine.refresh_from_db()
    assert mine.opened().access_token == "access-1"


@pytest.mark.parametrize("deleted", [False, True])
def test_a_disconnected_row_stays_a_new_one_is_made(
    bank: Bank, reconnect: Reconnect, api: APIClient, deleted: bool
) -> None:
    first = reconnect()
    for _ in range(2 if deleted else 1):
        api.delete(f"{PROVIDERS}/{first.pk}")
    assert reconnect().pk != first.pk
    first.refresh_from_db()
    assert (first.status, first.auth_state) == (Status.DISCONNECTED, None)


def test_unidentified_accounts_are_never_the_same(
    bank: Bank, reconnect: Reconnect, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue().replace("identity_endpoint", "# identity_endpoint"), "bank")
    assert reconnect().pk != reconnect().pk
    assert Connection.objects.filter(status=Status.ACTIVE).count() == 2
    assert not GrantHold.objects.exists()


def test_the_answer_is_the_existing_row(bank: Bank, reconnect: Reconnect, api: APIClient) -> None:
    row = reconnect()
    answer = call_back(api, start(api))
    assert answer.status_code == 201
    assert answer.json()["id"] == str(row.pk)
    assert api.get(PROVIDERS).json()["total_count"] == 1
