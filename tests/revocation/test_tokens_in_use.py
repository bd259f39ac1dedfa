"""Tokens that a living connection has too are never revoked, whatever they came for.

Some platforms hand out the same refresh token again with each consent and each refresh.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.connections import living
from connections_project.core.ids import uuid7
from connections_project.core.vault import seal
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from social.models import SocialAccount
from tests.conftest import SignIn, UseCatalogue
from tests.revocation.conftest import make_due, processed
from tests.support import bank as banks
from tests.support import gallery as galleries
from tests.support.bank import Bank
from tests.support.gallery import Gallery
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)

STATIC = "refresh-static"


def hand_out_the_same(bank: Bank) -> None:
    """Have the refresh token stay what it is, as Schwab's and Google's do."""
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_token=STATIC))


@pytest.fixture
def gallery(server: PlatformServer, use_catalogue: UseCatalogue) -> Gallery:
    made = Gallery(server)
    use_catalogue(made.catalogue(token="", revocation=""), "gallery")
    made.open()
    hand_out_the_same(made)
    return made


@pytest.fixture
def static_bank(bank: Bank) -> Bank:
    hand_out_the_same(bank)
    return bank


def meanwhile(
    bank: Bank, path: str, then: Callable[[], object], answer: Callable[[Request], Answer]
) -> None:
    def script(request: Request) -> Answer:
        try:
            then()
        finally:
            connection.close()
        return answer(request)

    bank.server.on("GET", path, script)


def deactivate(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)


def make_job(row: Connection, tokens: TokenSet, **columns: Any) -> None:
    """Make a job of tokens beside a connection; nobody knows who gave them, unless it is said."""
    connection_id = uuid7()
    values: dict[str, Any] = {
        "app": "providers",
        "platform": "bank",
        "connection_id": connection_id,
        "owner_id": row.user_id,
        "authority": row.authority,
        "client_id": row.client_id,
        "sealed_tokens": seal(tokens.as_payload(), subject=f"connection:{connection_id}"),
        "created_at": timezone.now(),
        "due_at": timezone.now(),
    }
    RevocationJob.objects.create(**values | columns)


def test_a_refused_social_callback_spares_them(
    api: APIClient, owner: User, gallery: Gallery
) -> None:
    (account,) = galleries.connect(api)
    state = galleries.start(api)
    meanwhile(gallery, "/me", partial(deactivate, owner), lambda _: gallery.identity())
    assert galleries.call_back(api, state).status_code == 400
    assert gallery.revoked == ["access-2"]
    assert SocialAccount.objects.get(pk=account.pk).opened().refresh_token == STATIC


def test_a_grant_without_accounts_spares_them(api: APIClient, gallery: Gallery) -> None:
    galleries.connect(api)
    gallery.accounts = []
    assert galleries.call_back(api, galleries.start(api)).status_code == 400
    assert gallery.revoked == ["access-2"]


def test_a_disconnect_that_wins_spares_the_other_accounts(api: APIClient, gallery: Gallery) -> None:
    gallery.accounts = ["7", "8"]
    first, _ = galleries.connect(api)
    state = galleries.start(api)
    gallery.accounts = ["7"]
    end = partial(galleries.disconnect, api, first)
    meanwhile(gallery, "/me/accounts", end, gallery.list_accounts)
    assert galleries.call_back(api, state).status_code == 400
    assert gallery.revoked == ["access-2"]


def test_a_grant_whose_accounts_stay_inactive_spares_them(api: APIClient, gallery: Gallery) -> None:
    gallery.accounts = ["7", "8", "9"]
    first, second, _ = galleries.connect(api)
    for one in (first, second):
        galleries.disconnect(api, one)
    gallery.accounts = ["7", "8"]
    assert galleries.call_back(api, galleries.start(api)).status_code == 201
    assert gallery.revoked == ["access-2"]


def test_tokens_of_an_unknown_account_spare_those_of_a_known_one(
    api: APIClient, static_bank: Bank
) -> None:
    row = banks.connect(api)
    static_bank.server.on("GET", "/me", Answer(500))
    assert banks.call_back(api, banks.start(api)).status_code == 502
    assert static_bank.revoked == ["access-2"]
    assert Connection.objects.get(pk=row.pk).opened().refresh_token == STATIC


def test_tokens_in_an_odd_answer_spare_those_of_a_known_account(
    api: APIClient, static_bank: Bank
) -> None:
    banks.connect(api)
    odd = b'[{"access_token": "access-odd", "refresh_token": "%b"}]' % STATIC.encode()
    static_bank.server.on("POST", "/token", Answer(body=odd))
    assert banks.call_back(api, banks.start(api)).status_code == 502
    assert static_bank.revoked == ["access-odd"]


def test_somebody_elses_disconnect_spares_them(
    api: APIClient, outsider: User, sign_in: SignIn, static_bank: Bank
) -> None:
    row, other = banks.connect(api), banks.connect(sign_in(outsider))
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    assert static_bank.revoked == ["access-1"]
    other.refresh_from_db()
    assert other.opened().refresh_token == STATIC
    sign_in(outsider).delete(f"/api/v1/auth/{other.pk}/disconnect")
    assert static_bank.revoked == ["access-1", STATIC, "access-2"]


def test_a_later_try_spares_what_was_connected_meanwhile(api: APIClient, static_bank: Bank) -> None:
    row = banks.connect(api)
    static_bank.server.on("POST", "/revoke", Answer(503), Answer(200))
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    banks.connect(api)
    make_due(RevocationJob.objects.get())
    assert processed() == ["shared_grant"]
    assert static_bank.revoked == [STATIC, "access-1"]


def test_an_access_token_that_is_in_use_is_left(owner: User, outsider: User, bank: Bank) -> None:
    row, _ = connection_of(owner), connection_of(outsider)
    tokens = TokenSet("access-0", "refresh-9")
    make_job(row, tokens, platform_user_id=row.granting_user_id)
    assert processed() == ["shared_grant"]
    assert bank.revoked == []


@pytest.mark.parametrize("radius", ["grant", "token"])
def test_a_grant_of_nobody_knows_whom_spares_its_own_connection(
    api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue, radius: str
) -> None:
    """The callback for a living connection fails: nobody knows whose tokens came."""
    use_catalogue(bank.catalogue(revocation=f'blast_radius = "{radius}"'), "bank")
    row = connection_of(owner, account_id=None)
    bank.server.on("GET", "/me", Answer(500))
    state = banks.start(api, connection_id=str(row.pk))
    assert banks.call_back(api, state).status_code == 502
    assert bank.revoked == ([] if radius == "grant" else ["refresh-1", "access-1"])


@pytest.mark.parametrize("account_id", ["customer-7", None])
def test_a_connection_that_no_key_reads_counts_on_its_own_grant_alone(
    api: APIClient, owner: User, outsider: User, bank: Bank, account_id: str | None
) -> None:
    row = connection_of(owner, account_id=account_id)
    other = connection_of(outsider if account_id else owner, account_id=account_id)
    # Sealed for another row.
    Connection.objects.filter(pk=other.pk).update(auth_state=row.auth_state)
    api.delete(f"/api/v1/auth/{row.pk}/disconnect")
    assert bank.revoked == ([] if account_id else ["refresh-0", "access-0"])


def test_who_may_have_them_is_waited_for_until_a_key_reads_it(
    api: APIClient, owner: User, outsider: User, bank: Bank
) -> None:
    row, other = connection_of(owner), connection_of(outsider, tokens=TokenSet("access-9"))
    Connection.objects.filter(pk=other.pk).update(auth_state=row.auth_state)
    api.delete(f"/api/v1/auth/{row.pk}/disconnect")
    job = RevocationJob.objects.get()
    assert (job.state, job.last_error, bank.revoked) == ("pending", "unreadable_token", [])
    Connection.objects.filter(pk=other.pk).update(auth_state=other.auth_state)
    make_due(job)
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-0", "access-0"]


@pytest.mark.parametrize("place", range(5))
def test_all_of_an_owners_are_looked_at(
    owner: User, bank: Bank, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(living, "PIECE", 2)
    tokens = [TokenSet(f"access-{one}") for one in range(5)]
    rows = [connection_of(owner, account_id=f"{one.access_token}", tokens=one) for one in tokens]
    make_job(rows[place], tokens[place])
    assert processed() == ["shared_grant"]
    assert bank.revoked == []


@pytest.mark.parametrize("giver", ["customer-7", None])
def test_an_app_that_is_gone_keeps_nobody_from_revoking(
    owner: User, bank: Bank, giver: str | None
) -> None:
    row = connection_of(owner)
    GrantHold.objects.update(app="gone")
    make_job(row, TokenSet("access-1"), app="gone", platform_user_id=giver)
    assert processed() == ["revoked"]
    assert bank.revoked == ["access-1"]
