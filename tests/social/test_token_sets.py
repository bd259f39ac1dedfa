"""Accounts that share one set of tokens: refreshed together, once, and revoked by the last."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from connections_project.connections.errors import NotActiveError
from connections_project.connections.refresh import refreshed_for_use
from connections_project.identity.origins import command_origin
from connections_project.revocation.models import GrantHold
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support.database_threads import with_own_connection
from tests.support.disconnects import disconnect_one
from tests.support.gallery import Gallery, connect, pending_tokens
from tests.support.gallery import disconnect as disconnect_by_api
from tests.support.platform_server import Answer, Request
from tests.support.social_publishing import MORE, publish
from tests.support.sql_statements import counted

ORIGIN = command_origin(None)


@pytest.fixture
def trio(api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue) -> list[SocialAccount]:
    """Three accounts with the tokens of their grant, which end with a token alone."""
    use_catalogue(gallery.catalogue(token="", revocation='blast_radius = "token"'), "gallery")
    gallery.accounts = ["7", "8", "9"]
    return connect(api)


def tokens(*rows: SocialAccount) -> list[str | None]:
    return [SocialAccount.objects.get(pk=row.pk).opened().refresh_token for row in rows]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_refreshing_any_renews_them_all(
    trio: list[SocialAccount], gallery: Gallery, which: int
) -> None:
    row = refreshed_for_use(trio[which], origin=ORIGIN, force=True)
    assert row.pk == trio[which].pk
    assert row.opened().access_token == "access-2"
    assert tokens(*trio) == ["refresh-2"] * 3
    assert len(gallery.token_requests("refresh_token")) == 1


def test_refreshing_many_takes_no_more_statements_than_a_few(
    api: APIClient, trio: list[SocialAccount], gallery: Gallery, unlimited: None
) -> None:
    counts = []
    for size in (3, 30):
        gallery.accounts = [str(number) for number in range(7, 7 + size)]
        rows = connect(api)
        with counted() as statements:
            refreshed_for_use(rows[0], origin=ORIGIN, force=True)
        assert len(set(tokens(*rows))) == 1
        counts.append(len(statements))
    # SQLite takes 999 parameters a statement.
    assert counts[1] <= counts[0] + 3


def test_a_disconnected_sibling_hinders_nobody(
    api: APIClient, trio: list[SocialAccount], gallery: Gallery
) -> None:
    disconnect_by_api(api, trio[0])
    refreshed_for_use(trio[2], origin=ORIGIN, force=True)
    refreshed_for_use(trio[1], origin=ORIGIN, force=True)
    assert tokens(*trio) == ["refresh-1", "refresh-3", "refresh-3"]
    spent = [one.form["refresh_token"] for one in gallery.token_requests("refresh_token")]
    assert spent == ["refresh-1", "refresh-2"]


def test_only_the_last_one_has_the_tokens_revoked(trio: list[SocialAccount]) -> None:
    for row in (trio[0], trio[1]):
        assert disconnect_one(row, erase_tokens=True) == "shared_grant"
    assert pending_tokens() == []
    assert disconnect_one(trio[2], erase_tokens=True) == "pending"
    assert pending_tokens() == ["access-1"]
    assert not GrantHold.objects.exists()


def test_an_accounts_own_tokens_are_revoked(
    api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(gallery.catalogue(revocation='blast_radius = "token"'), "gallery")
    gallery.accounts = ["7", "8"]
    first, _ = connect(api)
    assert disconnect_one(first, erase_tokens=True) == "pending"
    assert pending_tokens() == ["access-1-of-7"]


@pytest.mark.django_db(transaction=True)
def test_the_leaders_disconnect_spares_the_others(
    trio: list[SocialAccount], gallery: Gallery
) -> None:
    def meanwhile(_: Request) -> Answer:
        disconnect_one(trio[0])
        connection.close()
        return gallery.tokens()

    gallery.server.on("POST", "/token", meanwhile)
    with pytest.raises(NotActiveError):
        refreshed_for_use(trio[0], origin=ORIGIN, force=True)
    assert tokens(*trio) == ["refresh-1", "refresh-2", "refresh-2"]
    # They live on what came late, so that it must not be revoked.
    assert pending_tokens() == []
    assert gallery.revoked == []


@pytest.mark.django_db(transaction=True)
def test_late_tokens_that_nobody_lives_on_are_revoked(
    api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(gallery.catalogue(token="", revocation=""), "gallery")
    (only,) = connect(api)

    def meanwhile(_: Request) -> Answer:
        disconnect_one(only)
        connection.close()
        return gallery.tokens()

    gallery.server.on("POST", "/token", meanwhile)
    with pytest.raises(NotActiveError):
        refreshed_for_use(only, origin=ORIGIN, force=True)
    assert tokens(only) == ["refresh-1"]
    assert gallery.revoked == ["refresh-2", "access-2"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("late", [None, "refresh-1"])
@pytest.mark.parametrize("radius", ["token", "grant"])
def test_a_late_access_token_is_revoked_without_the_kept_refresh_token(
    api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue, late: str | None, radius: str
) -> None:
    table = gallery.catalogue(token="", more=MORE, revocation=f'blast_radius = "{radius}"')
    use_catalogue(table, "gallery")
    gallery.expires_in = 0
    (only,) = connect(api)

    def meanwhile(_: Request) -> Answer:
        disconnect_one(only)
        connection.close()
        return gallery.tokens(refresh_token=late)

    gallery.server.on("POST", "/token", meanwhile)
    assert publish(api, only).status_code == 403
    assert tokens(only) == ["refresh-1"]
    assert gallery.revoked == ["access-2"]


@pytest.mark.django_db(transaction=True)
def test_a_static_sets_late_access_token_goes_to_the_others(
    trio: list[SocialAccount], gallery: Gallery
) -> None:
    def meanwhile(_: Request) -> Answer:
        disconnect_one(trio[0])
        connection.close()
        return gallery.tokens(refresh_token="refresh-1")

    gallery.server.on("POST", "/token", meanwhile)
    with pytest.raises(NotActiveError):
        refreshed_for_use(trio[0], origin=ORIGIN, force=True)
    stored = [SocialAccount.objects.get(pk=row.pk).opened().access_token for row in trio]
    assert stored == ["access-1", "access-2", "access-2"]
    assert gallery.revoked == []


@pytest.mark.django_db(transaction=True)
def test_accounts_connected_anew_get_no_late_tokens(
    api: APIClient, trio: list[SocialAccount], gallery: Gallery
) -> None:
    def meanwhile(request: Request) -> Answer:
        if request.form["grant_type"] == "refresh_token":
            with_own_connection(lambda: connect(api))
            return gallery.tokens(access_token="access-late", refresh_token=None)
        return gallery.tokens(access_token="access-new", refresh_token="refresh-new")

    gallery.server.on("POST", "/token", meanwhile)
    refreshed_for_use(trio[0], origin=ORIGIN, force=True)
    stored = [SocialAccount.objects.get(pk=row.pk).opened().access_token for row in trio]
    assert stored == ["access-new"] * 3
    assert gallery.revoked == ["refresh-1", "access-1", "access-late"]
