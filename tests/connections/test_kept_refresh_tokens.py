"""A fresh grant without a refresh token leaves the stored one in force, and revokes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.api import throttling
from providers.models import Connection
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support import bank as banks
from tests.support import chirp as chirps
from tests.support import gallery as galleries
from tests.support.bank import Bank
from tests.support.chirp import Chirp
from tests.support.gallery import Gallery
from tests.support.platform_server import PlatformServer

pytestmark = pytest.mark.django_db(transaction=True)

Lacking = dict[str, Any]
# Absent, and empty.
lacking = pytest.mark.parametrize("without", [{"refresh_token": None}, {"refresh_token": ""}])


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "consume", lambda *_: None)


@pytest.fixture(params=["token", "grant"])
def blast_radius(request: pytest.FixtureRequest) -> str:
    return f'blast_radius = "{request.param}"'


def give(bank: Bank, without: Lacking) -> None:
    bank.server.on("POST", "/token", lambda _: bank.tokens(**without))


def assert_kept(row: Any, bank: Bank, *, access_token: str = "access-2") -> None:
    row.refresh_from_db()
    tokens = row.opened()
    assert (tokens.access_token, tokens.refresh_token) == (access_token, "refresh-1")
    assert row.has_refresh_token
    assert bank.revoked == []


@lacking
def test_a_provider_keeps_it(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue, blast_radius: str, without: Lacking
) -> None:
    use_catalogue(bank.catalogue(revocation=blast_radius), "bank")
    row = banks.connect(api)
    give(bank, without)
    assert banks.connect(api).pk == row.pk
    assert_kept(row, bank)
    assert banks.connect(api, connection_id=str(row.pk)).pk == row.pk
    assert_kept(row, bank, access_token="access-3")


def test_an_expired_provider_keeps_it_too(api: APIClient, bank: Bank) -> None:
    row = banks.connect(api)
    Connection.objects.update(status="revoked")
    give(bank, {"refresh_token": None})
    banks.connect(api)
    assert_kept(row, bank)


def test_another_account_gets_none_of_it(api: APIClient, bank: Bank) -> None:
    row = banks.connect(api)
    give(bank, {"refresh_token": None})
    bank.account_id = "customer-8"
    other = banks.connect(api)
    assert (other.opened().refresh_token, other.has_refresh_token) == (None, False)
    assert_kept(row, bank, access_token="access-1")


def test_a_fresh_refresh_token_replaces_it(api: APIClient, bank: Bank) -> None:
    row = banks.connect(api)
    banks.connect(api)
    row.refresh_from_db()
    assert row.opened().refresh_token == "refresh-2"
    assert bank.revoked == ["refresh-1", "access-1"]


@lacking
@pytest.mark.parametrize("status", ["connected", "expired", "error"])
def test_a_channel_keeps_it(
    api: APIClient,
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    blast_radius: str,
    without: Lacking,
    status: str,
) -> None:
    chirp = Chirp(server)
    chirp.open()
    use_catalogue(chirp.catalogue(revocation=blast_radius), "chirp")
    row = chirps.connect(api)
    ChannelConnection.objects.update(status=status)
    give(chirp, without)
    assert chirps.call_back(api, chirps.start(api)).status_code in {201, 409}
    # A dead connection is followed by a new one, to which its schedules move, and so does this.
    assert_kept(ChannelConnection.objects.get(status="connected"), chirp)
    assert (ChannelConnection.objects.count() == 1) == (status == "connected")
    assert row.pk


@pytest.fixture
def connect_social(
    api: APIClient, server: PlatformServer, use_catalogue: UseCatalogue, blast_radius: str
) -> Callable[..., Gallery]:
    def connect(*accounts: str, token: str = "") -> Gallery:
        gallery = Gallery(server, accounts=list(accounts))
        gallery.open()
        use_catalogue(gallery.catalogue(revocation=blast_radius, token=token), "gallery")
        galleries.connect(api)
        return gallery

    return connect


@lacking
def test_social_accounts_keep_it(
    api: APIClient, connect_social: Callable[..., Gallery], without: Lacking
) -> None:
    gallery = connect_social("7", "8")
    before = set(SocialAccount.objects.values_list("token_set", flat=True))
    give(gallery, without)
    galleries.connect(api)
    for row in SocialAccount.objects.all():
        assert_kept(row, gallery)
    assert set(SocialAccount.objects.values_list("token_set", flat=True)) == before


def test_an_account_beside_shares_it_still(
    api: APIClient, connect_social: Callable[..., Gallery]
) -> None:
    gallery = connect_social("7", "8")
    give(gallery, {"refresh_token": None})
    gallery.accounts = ["7"]
    galleries.connect(api)
    first, second = SocialAccount.objects.order_by("platform_account_id")
    assert first.token_set == second.token_set
    assert_kept(first, gallery)
    assert_kept(second, gallery, access_token="access-1")
