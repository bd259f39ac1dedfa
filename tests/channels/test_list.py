"""`GET /channels/connections` and `GET /channels/connections/{id}`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.identity.models import User
from tests.conftest import SignIn, UseCatalogue
from tests.support.channel_disconnects import CONNECTIONS
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp


def ids(api: APIClient, query: str = "") -> list[str]:
    return [one["id"] for one in api.get(CONNECTIONS + query).json()["data"]]


def test_an_empty_list_is_a_page_of_nothing(api: APIClient) -> None:
    assert api.get(CONNECTIONS).json() == {
        "data": [],
        "pagination": {
            "page": 1,
            "limit": 20,
            "total": 0,
            "total_pages": 0,
            "has_next": False,
            "has_prev": False,
        },
    }


def test_a_connection_shows_its_fields_and_no_more(api: APIClient, row: ChannelConnection) -> None:
    moment = f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"
    answer = api.get(CONNECTIONS)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    expected = {
        "id": str(row.pk),
        "channel": "chirp",
        "account_id": "customer-7",
        "account_name": "Ada",
        "status": "connected",
        "connected_at": moment,
        "disconnected_at": None,
        "created_at": moment,
        "updated_at": moment,
    }
    assert answer.json()["data"] == [expected]
    assert api.get(f"{CONNECTIONS}/{row.pk}").json() == expected
    assert api.get(f"{CONNECTIONS}/{str(row.pk).upper()}").json() == expected


def test_newest_first_in_a_stable_order(api: APIClient, owner: User, chirp: Chirp) -> None:
    now = timezone.now()
    same = [channel_of(owner, status="disconnected", now=now) for _ in range(5)]
    old = channel_of(owner, status="disconnected", now=now - timedelta(hours=1))
    expected = [*sorted((str(row.pk) for row in same), reverse=True), str(old.pk)]
    assert ids(api) == expected
    assert ids(api, "?limit=2&page=1") + ids(api, "?limit=4&page=2") == expected[:2] + expected[4:]
    assert ids(api, "?page=9") == []


@pytest.mark.parametrize("status", ["connected", "expired", "error", "disconnected"])
def test_it_can_be_filtered_by_status(
    api: APIClient, owner: User, chirp: Chirp, status: str
) -> None:
    rows = {
        each: channel_of(owner, status=each, account_id=each)
        for each in ("connected", "expired", "error", "disconnected")
    }
    assert ids(api, f"?status={status}") == [str(rows[status].pk)]


def test_it_can_be_filtered_by_channel(
    api: APIClient, owner: User, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue() + chirp.catalogue("other"), "chirp", "other")
    channel_of(owner)
    other = channel_of(owner, channel="other", status="expired")
    assert ids(api, "?channel=other") == [str(other.pk)]
    assert ids(api, "?channel=other&status=connected") == []
    assert ids(api, "?channel=mastodon") == []


def test_a_removed_channel_can_be_filtered_for(
    api: APIClient, row: ChannelConnection, use_catalogue: UseCatalogue
) -> None:
    use_catalogue("")
    assert ids(api, "?channel=chirp") == [str(row.pk)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=active", "status"),
        ("status=", "status"),
        ("status=CONNECTED", "status"),
        ("channel=nobody", "channel"),
        ("channel=", "channel"),
        ("channel=schwab", "channel"),
        ("status=a%00", "status"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
    ],
)
def test_a_bad_filter_or_page_is_named(api: APIClient, query: str, field: str) -> None:
    assert wrong_fields(api.get(f"{CONNECTIONS}?{query}")) == [field]


def test_nobody_sees_what_is_somebody_elses(
    row: ChannelConnection, teammate: User, service_account: User, sign_in: SignIn
) -> None:
    for user in (teammate, service_account):
        client = sign_in(user)
        assert ids(client) == []
        answer = client.get(f"{CONNECTIONS}/{row.pk}")
        assert refusal(answer) == (403, "CONNECTION_ACCESS_DENIED")


@pytest.mark.parametrize(
    ("connection_id", "expected"),
    [
        ("nonsense", (400, "INVALID_CONNECTION_ID")),
        ("01940000-0000-7000-8000-000000000000", (404, "CONNECTION_NOT_FOUND")),
    ],
)
@pytest.mark.parametrize("rest", ["", "/publish-events"])
def test_malformed_and_unknown_ids(
    api: APIClient, connection_id: str, expected: Any, rest: str
) -> None:
    assert refusal(api.get(f"{CONNECTIONS}/{connection_id}{rest}")) == expected


def test_without_credentials_it_is_a_401(anonymous: APIClient, row: ChannelConnection) -> None:
    for url in (CONNECTIONS, f"{CONNECTIONS}/{row.pk}", f"{CONNECTIONS}/{row.pk}/publish-events"):
        assert refusal(anonymous.get(url)) == (401, "AUTHENTICATION_REQUIRED")
