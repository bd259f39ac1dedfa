"""Where one token's end is the whole grant's end, only the last connection revokes (7)."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.grants import Grant, add_holder, has_holders
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.conftest import SignIn
from tests.revocation.conftest import make_due, processed
from tests.support.bank import Bank, call_back, connect, start
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of, events


@pytest.fixture(autouse=True)
def whole_grants(bank: Bank, use_catalogue: Callable[..., None]) -> None:
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")


@pytest.fixture
def sibling(outsider: User, bank: Bank) -> Connection:
    """Somebody else's connection on the same grant."""
    return connection_of(outsider, tokens=TokenSet("access-5", "refresh-5"))


def end(api: APIClient, row: Connection) -> None:
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200


def decisions() -> list[str]:
    return [event.details["revocation"] for event in events("provider_disconnected")]


def test_one_of_two_makes_no_job_but_is_erased(
    api: APIClient, row: Connection, sibling: Connection
) -> None:
    end(api, row)
    assert not RevocationJob.objects.exists()
    row.refresh_from_db()
    assert row.auth_state is None
    assert decisions() == ["shared_grant"]
    sibling.refresh_from_db()
    assert sibling.status == "active"
    assert GrantHold.objects.get().connection_id == sibling.pk


def test_the_last_one_revokes_with_its_own_token(
    api: APIClient,
    row: Connection,
    sibling: Connection,
    outsider: User,
    bank: Bank,
    sign_in: SignIn,
) -> None:
    end(api, row)
    end(sign_in(outsider), sibling)
    assert decisions() == ["shared_grant", "pending"]
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-5", "access-5"]
    assert not GrantHold.objects.exists()


@pytest.mark.parametrize("status", ["expired", "revoked", "failed", "disconnected"])
def test_a_dead_sibling_does_not_count(
    api: APIClient, row: Connection, outsider: User, bank: Bank, status: str
) -> None:
    connection_of(outsider, status=status)
    end(api, row)
    assert decisions() == ["pending"]


def test_another_accounts_connection_is_no_sibling(
    api: APIClient, row: Connection, outsider: User, bank: Bank
) -> None:
    connection_of(outsider, account_id="someone-else")
    end(api, row)
    assert decisions() == ["pending"]


@pytest.mark.parametrize(
    ("authority", "client_id", "is_sibling"),
    [("same", "our client", True), ("other.example", "our client", False), ("same", "x", False)],
)
def test_another_apps_sibling_counts(
    api: APIClient,
    row: Connection,
    bank: Bank,
    authority: str,
    client_id: str,
    is_sibling: bool,
) -> None:
    where = row.authority if authority == "same" else authority
    grant = Grant(where, client_id, row.granting_user_id)
    add_holder(grant, app="channels", connection_id=Connection(user=row.user).pk)
    end(api, row)
    assert decisions() == ["shared_grant" if is_sibling else "pending"]


def test_single_token_revocation_ignores_siblings(
    api: APIClient,
    row: Connection,
    sibling: Connection,
    bank: Bank,
    use_catalogue: Callable[..., None],
) -> None:
    use_catalogue(bank.catalogue(), "bank")
    end(api, row)
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-0", "access-0"]


def test_a_reconnection_ends_the_job_without_a_call(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    end(api, row)
    bank.server.on("POST", "/revoke", Answer(503))
    assert processed() == ["pending"]
    job = RevocationJob.objects.get()
    asked = len(bank.revoked)
    anew = connect(api)
    assert anew.pk != row.pk
    make_due(job)
    assert processed() == ["shared_grant"]
    job.refresh_from_db()
    assert (job.state, job.sealed_tokens) == ("shared_grant", None)
    assert len(bank.revoked) == asked
    (event,) = events("token_revocation_skipped")
    assert (event.outcome, event.details["result"]) == ("success", "shared_grant")
    anew.refresh_from_db()
    assert anew.status == "active"


def test_the_new_connections_own_end_revokes_then(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    end(api, row)
    anew = connect(api)
    assert processed() == ["shared_grant"]
    end(api, anew)
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-1", "access-1"]


def test_unidentified_tokens_go_if_nobody_is_hurt(
    api: APIClient, sibling: Connection, bank: Bank
) -> None:
    """A connect that fails after the exchange: whose grant it was is not known."""
    bank.server.on("GET", "/me", Answer(500))
    assert call_back(api, start(api)).status_code == 502
    assert not RevocationJob.objects.exists()
    GrantHold.objects.all().delete()
    assert call_back(api, start(api)).status_code == 502
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-2", "access-2"]


def test_a_hold_is_one_per_connection(row: Connection) -> None:
    add_holder(row.grant, app="providers", connection_id=row.pk)
    assert GrantHold.objects.count() == 1
    assert has_holders(row.grant)
