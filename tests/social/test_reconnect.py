"""Which disconnected accounts come back with a grant, and which stay as their team left them."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import Team, User
from connections_project.revocation.models import GrantHold
from social.models import SocialAccount
from tests.support.gallery import Gallery, call_back, connect, disconnect, pending_tokens, start
from tests.support.provider_rows import events
from tests.support.social_rows import account_of

pytestmark = pytest.mark.usefixtures("unlimited")


@pytest.fixture
def trio(api: APIClient, gallery: Gallery) -> list[SocialAccount]:
    """Three accounts on one grant."""
    gallery.accounts = ["7", "8", "9"]
    return connect(api)


def fresh(row: SocialAccount) -> SocialAccount:
    return SocialAccount.objects.get(pk=row.pk)


def skipped(*rows: SocialAccount) -> list[dict[str, str]]:
    return [{"accountId": str(row.pk), "reason": "disconnected_by_team"} for row in rows]


def untouched(row: SocialAccount) -> bool:
    """Whether nothing has changed since the row was read, its tokens included."""
    columns = SocialAccount.objects.filter(pk=row.pk).values().get()
    return all(getattr(row, name) == value for name, value in columns.items())


def test_the_grants_only_account_returns_in_place(api: APIClient, gallery: Gallery) -> None:
    (account,) = connect(api)
    disconnect(api, account)
    (again,) = connect(api)
    assert again.pk == account.pk
    assert (again.is_active, again.status, again.disconnected_at) == (True, "active", None)
    assert again.opened().access_token == "access-2-of-7"
    assert again.connected_at is not None
    assert account.connected_at is not None
    assert again.connected_at > account.connected_at
    assert events("account_connected")[-1].details["reconnected"] is True
    assert GrantHold.objects.get().connection_id == account.pk


def test_disconnected_siblings_stay_with_tokens(api: APIClient, trio: list[SocialAccount]) -> None:
    for row in trio[:2]:
        disconnect(api, row)
    before = [fresh(row) for row in trio[:2]]
    answer = call_back(api, start(api))
    assert answer.json()["connectedCount"] == 1
    assert [one["id"] for one in answer.json()["accounts"]] == [str(trio[2].pk)]
    assert all(untouched(row) for row in before)
    assert fresh(trio[2]).opened().access_token == "access-2-of-9"
    assert GrantHold.objects.count() == 1


def test_the_named_one_returns_without_its_sibling(
    api: APIClient, trio: list[SocialAccount]
) -> None:
    for row in trio[:2]:
        disconnect(api, row)
    sibling = fresh(trio[1])
    answer = call_back(api, start(api, accountIds=[str(trio[0].pk).upper()]))
    named = {str(trio[0].pk), str(trio[2].pk)}
    assert {one["id"] for one in answer.json()["accounts"]} == named
    assert answer.json()["skipped"] == skipped(sibling)
    assert answer.json()["success"] is True
    assert fresh(trio[0]).is_active
    assert untouched(sibling)


def test_new_accounts_connect_beside_absent_ones(
    api: APIClient, gallery: Gallery, trio: list[SocialAccount]
) -> None:
    disconnect(api, trio[0])
    gallery.accounts = ["7", "10"]
    answer = call_back(api, start(api))
    assert [one["accountName"] for one in answer.json()["accounts"]] == ["@account10"]
    assert not fresh(trio[0]).is_active


def test_omitted_active_ones_stay_as_they_are(
    api: APIClient, gallery: Gallery, trio: list[SocialAccount]
) -> None:
    gallery.accounts = ["7"]
    connect(api)
    assert untouched(fresh(trio[1]))
    assert fresh(trio[1]).opened().access_token == "access-1-of-8"


def test_an_unusable_grant_connects_nothing(
    api: APIClient, gallery: Gallery, trio: list[SocialAccount]
) -> None:
    for row in trio:
        disconnect(api, row)
    before = [fresh(row) for row in trio]
    answer = call_back(api, start(api))
    assert answer.status_code == 201
    assert answer.json() == {
        "success": False, "connectedCount": 0, "accounts": [], "skipped": skipped(*trio),
    }  # fmt: skip
    assert all(untouched(row) for row in before)
    assert pending_tokens() == ["access-2"]
    (event,) = events("account_connection_failed")
    assert event.details == {
        "platform": "gallery",
        "error": "all_disconnected",
        "revocation": "pending",
    }


def test_a_named_one_outside_the_grant_stays_away(
    api: APIClient, gallery: Gallery, trio: list[SocialAccount]
) -> None:
    disconnect(api, trio[0])
    gallery.accounts = ["8", "9"]
    call_back(api, start(api, accountIds=[str(trio[0].pk)]))
    assert not fresh(trio[0]).is_active


def test_unreadable_old_tokens_do_not_hinder_it(
    api: APIClient, gallery: Gallery, team: Team
) -> None:
    account = account_of(team, status="disconnected", auth_state=None, has_refresh_token=False)
    (again,) = connect(api)
    assert again.pk == account.pk
    assert again.opened().access_token == "access-1-of-7"


def test_another_teams_record_is_untouched(
    api: APIClient, gallery: Gallery, outsider: User
) -> None:
    theirs = account_of(outsider.own_team, status="disconnected")
    (ours,) = connect(api)
    assert ours.pk != theirs.pk
    assert untouched(theirs)


def test_replaced_tokens_are_revoked_if_unshared(
    api: APIClient, gallery: Gallery, use_catalogue: Any
) -> None:
    use_catalogue(gallery.catalogue(revocation=""), "gallery")
    connect(api)
    connect(api)
    assert pending_tokens() == ["access-1-of-7"]


def test_replaced_tokens_stay_if_a_sibling_has_them(
    api: APIClient, gallery: Gallery, use_catalogue: Any
) -> None:
    use_catalogue(gallery.catalogue(revocation="", token=""), "gallery")
    gallery.accounts = ["7", "8"]
    _, sibling = connect(api)
    gallery.accounts = ["7"]
    connect(api)
    assert pending_tokens() == []
    assert fresh(sibling).opened().refresh_token == "refresh-1"
    gallery.accounts = ["8"]
    connect(api)
    assert pending_tokens() == ["access-1"]
