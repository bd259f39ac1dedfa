"""A disconnect that lands while a refresh is under way wins (docs/api.md, "Refreshing tokens")."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.support.bank import Bank, connect
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of, events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(api: APIClient, owner: User, bank: Bank) -> Connection:
    return connection_of(owner)


def refresh(api: APIClient, row: Connection) -> Any:
    url = f"/api/v1/providers/{row.pk}/token-refreshes"
    return api.post(url, {"force": True}, format="json")


@pytest.fixture
def disconnected_meanwhile(api: APIClient, row: Connection, bank: Bank) -> Callable[[Answer], None]:
    """Have the platform give an answer after a disconnect has gone through."""

    def disconnected_meanwhile(answer: Answer) -> None:
        def script(_: Request) -> Answer:
            url = f"/api/v1/auth/{row.pk}/disconnect"
            assert with_own_connection(lambda: api.delete(url).status_code) == 200
            return answer

        bank.server.on("POST", "/token", script)

    return disconnected_meanwhile


Meanwhile = Callable[[Answer], None]


def test_late_tokens_are_revoked_and_not_stored(
    api: APIClient, row: Connection, bank: Bank, disconnected_meanwhile: Meanwhile
) -> None:
    disconnected_meanwhile(bank.tokens())
    assert refresh(api, row).status_code == 403
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    assert bank.revoked == ["refresh-0", "access-0", "refresh-1", "access-1"]
    assert set(RevocationJob.objects.values_list("state", "sealed_tokens")) == {("revoked", None)}
    assert events("provider_token_refreshed") == []


def test_late_static_tokens_are_revoked(
    api: APIClient, row: Connection, bank: Bank, disconnected_meanwhile: Meanwhile
) -> None:
    disconnected_meanwhile(bank.tokens(refresh_token=None))
    assert refresh(api, row).status_code == 403
    assert bank.revoked == ["refresh-0", "access-0", "refresh-0", "access-1"]


@pytest.mark.parametrize(
    "answer", [Answer(400, json={"error": "invalid_grant"}), Answer(500), Answer(reset=True)]
)
def test_a_late_failure_changes_nothing_either(
    api: APIClient, row: Connection, disconnected_meanwhile: Meanwhile, answer: Answer
) -> None:
    disconnected_meanwhile(answer)
    assert refresh(api, row).status_code == 403
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert len(events("provider_token_refresh_failed")) == 1


def test_late_tokens_of_a_shared_grant_hurt_nobody(
    api: APIClient,
    row: Connection,
    outsider: User,
    bank: Bank,
    use_catalogue: Callable[..., None],
    disconnected_meanwhile: Meanwhile,
) -> None:
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")
    connection_of(outsider)
    disconnected_meanwhile(bank.tokens())
    assert refresh(api, row).status_code == 403
    assert bank.revoked == []
    assert not RevocationJob.objects.exists()


def reauthorise(api: APIClient, row: Connection) -> None:
    connect(api, connection_id=str(row.pk))


@pytest.fixture
def overtaken(api: APIClient, row: Connection, bank: Bank) -> Callable[..., None]:
    """Refresh, and have the owner authorise anew before the platform answers."""

    def overtaken(*, new: str, late: str | None) -> None:
        def script(request: Request) -> Answer:
            if request.form["grant_type"] == "authorization_code":
                return bank.tokens(access_token="access-new", refresh_token=new)
            with_own_connection(lambda: reauthorise(api, row))
            return bank.tokens(access_token="access-late", refresh_token=late)

        bank.server.on("POST", "/token", script)
        assert refresh(api, row).status_code == 201
        row.refresh_from_db()
        assert row.opened() == TokenSet("access-new", new)

    return overtaken


static = pytest.mark.parametrize("late", [None, "refresh-0"])


@static
def test_an_overtaken_refresh_spares_a_static_refresh_token(
    bank: Bank, overtaken: Callable[..., None], late: str | None
) -> None:
    """The platform's refresh token never changes, as Schwab's."""
    overtaken(new="refresh-0", late=late)
    (sent,) = bank.server.requests_to("/revoke")
    assert (sent.form["token"], sent.form["token_type_hint"]) == ("access-late", "access_token")


@static
def test_an_overtaken_refresh_revokes_its_access_token(
    bank: Bank, overtaken: Callable[..., None], late: str | None
) -> None:
    overtaken(new="refresh-new", late=late)
    assert bank.revoked == ["refresh-0", "access-0", "access-late"]


def test_an_overtaken_refresh_spares_the_same_new_refresh_token(
    bank: Bank, overtaken: Callable[..., None]
) -> None:
    overtaken(new="refresh-new", late="refresh-new")
    assert bank.revoked == ["refresh-0", "access-0", "access-late"]


@static
@pytest.mark.parametrize(
    "revocation",
    ['blast_radius = "grant"', 'tokens = ["access_token"]', 'tokens = ["refresh_token"]'],
)
def test_an_access_token_that_can_not_be_revoked_alone_is_left(
    bank: Bank,
    overtaken: Callable[..., None],
    use_catalogue: UseCatalogue,
    revocation: str,
    late: str | None,
) -> None:
    use_catalogue(bank.catalogue(revocation=revocation), "bank")
    overtaken(new="refresh-0", late=late)
    assert bank.revoked == []
    assert not RevocationJob.objects.exists()


def test_a_bearer_that_ends_its_refresh_token_is_left(
    bank: Bank, overtaken: Callable[..., None], use_catalogue: UseCatalogue
) -> None:
    table = bank.catalogue().replace('kind = "rfc7009"', 'kind = "bearer_post"')
    use_catalogue(table, "bank")
    overtaken(new="refresh-0", late=None)
    assert not RevocationJob.objects.exists()


def test_an_overtaken_refresh_revokes_its_tokens(
    bank: Bank, overtaken: Callable[..., None]
) -> None:
    overtaken(new="refresh-new", late="refresh-late")
    assert bank.revoked == ["refresh-0", "access-0", "refresh-late", "access-late"]


def test_a_late_token_set_spares_the_grant_of_nobody_knows_whom(
    api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    """One revocation would end the whole grant, on which the row lives that was authorised anew."""
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")
    row = connection_of(owner, account_id=None)

    def script(_: Request) -> Answer:
        fresh = row.sealed(TokenSet("access-new", "refresh-new"))
        changed = {"auth_state": fresh, "epoch": row.epoch + 1}
        with_own_connection(lambda: Connection.objects.filter(pk=row.pk).update(**changed))
        return bank.tokens()

    bank.server.on("POST", "/token", script)
    assert refresh(api, row).status_code == 201
    assert bank.revoked == []
