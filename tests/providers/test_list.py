"""`GET /providers` (docs/api.md, "Providers")."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import User
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

URL = "/api/v1/providers"
FIELDS = {
    "id", "provider_slug", "alias", "status", "is_connected", "needs_reauthentication",
    "connected_at", "last_sync_at", "created_at", "updated_at",
}  # fmt: skip


def ids(api: APIClient, query: str = "") -> list[str]:
    return [one["id"] for one in api.get(URL + query).json()["connections"]]


def test_an_empty_list_has_counts_of_zero(api: APIClient) -> None:
    assert api.get(URL).json() == {"connections": [], "total_count": 0, "active_count": 0}


def test_a_connection_has_the_documented_fields_only(
    api: APIClient, owner: User, bank: Bank
) -> None:
    row = connection_of(owner, alias="Mine")
    answer = api.get(URL)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    (shown,) = answer.json()["connections"]
    assert set(shown) == FIELDS
    assert shown == {
        "id": str(row.pk),
        "provider_slug": "bank",
        "alias": "Mine",
        "status": "active",
        "is_connected": True,
        "needs_reauthentication": False,
        "connected_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "last_sync_at": None,
        "created_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": row.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def test_both_counts_ignore_the_filter(api: APIClient, owner: User, bank: Bank) -> None:
    active = connection_of(owner)
    connection_of(owner, status="expired", account_id="other")
    connection_of(owner, status="failed")
    connection_of(owner, status="disconnected")
    everything = api.get(URL).json()
    assert (everything["total_count"], everything["active_count"]) == (4, 1)
    assert len(everything["connections"]) == 4
    filtered = api.get(URL, {"active_only": "true"}).json()
    assert (filtered["total_count"], filtered["active_count"]) == (4, 1)
    assert [one["id"] for one in filtered["connections"]] == [str(active.pk)]


def test_deleted_rows_are_left_out_and_not_counted(api: APIClient, owner: User, bank: Bank) -> None:
    connection_of(owner, status="disconnected", deleted_at=timezone.now())
    kept = connection_of(owner, status="disconnected")
    assert ids(api) == [str(kept.pk)]
    assert api.get(URL).json()["total_count"] == 1


def test_the_newest_comes_first(api: APIClient, owner: User, bank: Bank) -> None:
    now = timezone.now()
    middle = connection_of(owner, status="failed", now=now - timedelta(hours=1))
    newest = connection_of(owner, status="failed", now=now)
    oldest = connection_of(owner, status="failed", now=now - timedelta(hours=2))
    assert ids(api) == [str(newest.pk), str(middle.pk), str(oldest.pk)]


def test_rows_of_the_same_moment_keep_their_order(api: APIClient, owner: User, bank: Bank) -> None:
    now = timezone.now()
    rows = [connection_of(owner, status="failed", now=now) for _ in range(5)]
    expected = sorted((str(row.pk) for row in rows), reverse=True)
    assert ids(api) == expected
    Connection.objects.filter(pk=rows[2].pk).update(alias="touched")
    assert ids(api) == expected


def test_nobody_sees_what_is_somebody_elses(
    owner: User, teammate: User, bank: Bank, sign_in: Callable[[User], APIClient]
) -> None:
    connection_of(owner)
    # Financial connections are a person's own, not a team's.
    assert ids(sign_in(teammate)) == []


def test_a_service_account_lists_its_own(
    service_account: User, owner: User, bank: Bank, sign_in: Callable[[User], APIClient]
) -> None:
    connection_of(owner)
    own = connection_of(service_account, account_id="robot")
    assert ids(sign_in(service_account)) == [str(own.pk)]


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "On"])
def test_active_only_takes_every_way_to_say_yes(
    api: APIClient, owner: User, bank: Bank, text: str
) -> None:
    connection_of(owner, status="failed")
    assert ids(api, f"?active_only={text}") == []


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "OFF"])
def test_active_only_takes_every_way_to_say_no(
    api: APIClient, owner: User, bank: Bank, text: str
) -> None:
    connection_of(owner, status="failed")
    assert len(ids(api, f"?active_only={text}")) == 1


@pytest.mark.parametrize("text", ["maybe", "", "2", "tru", "%00", "true%20"])
def test_a_bad_boolean_is_a_400_that_names_the_field(api: APIClient, text: str) -> None:
    answer = api.get(f"{URL}?active_only={text}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/validation_failed")
    assert [one["field"] for one in answer.json()["errors"]] == ["active_only"]


@pytest.mark.parametrize(
    ("status", "needs"),
    [
        ("active", False), ("pending", False), ("disconnected", False),
        ("expired", True), ("revoked", True), ("failed", True),
    ],
)  # fmt: skip
def test_the_status_says_who_must_sign_in_again(
    api: APIClient, owner: User, bank: Bank, status: str, needs: bool
) -> None:
    connection_of(owner, status=status)
    (shown,) = api.get(URL).json()["connections"]
    assert shown["needs_reauthentication"] is needs
    assert shown["is_connected"] is (status == "active")


@pytest.mark.parametrize(("hours", "needs"), [(-1, True), (23, True), (25, False)])
def test_a_grant_near_its_fixed_end_wants_a_new_one(
    api: APIClient, owner: User, bank: Bank, hours: int, needs: bool
) -> None:
    row = connection_of(owner)
    row.grant_expires_at = timezone.now() + timedelta(hours=hours)
    row.save()
    (shown,) = api.get(URL).json()["connections"]
    assert (shown["status"], shown["needs_reauthentication"]) == ("active", needs)


def test_an_expired_access_token_leaves_it_active(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    row.token_expires_at = timezone.now() - timedelta(days=3)
    row.save()
    (shown,) = api.get(URL).json()["connections"]
    assert (shown["status"], shown["needs_reauthentication"]) == ("active", False)


def test_no_credentials_are_a_401_with_a_challenge(anonymous: APIClient) -> None:
    answer = anonymous.get(URL)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["type"].endswith("/unauthorized")


def test_a_trailing_slash_is_a_404(api: APIClient) -> None:
    answer = api.get(f"{URL}/")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_another_method_is_405_with_those_allowed(api: APIClient, method: str) -> None:
    answer = getattr(api, method)(URL)
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer["Allow"].split(", "))
