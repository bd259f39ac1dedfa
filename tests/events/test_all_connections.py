"""`GET /api/v1/connections`: the caller's own and its teams', of all apps, in one list."""

from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from connections_project.identity.models import User
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/api/v1/connections"


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer.json()["data"]]


def test_all_apps_stand_in_one_list(
    api: APIClient, owner: User, outsider: User, world: Bank
) -> None:
    provider, channel = connection_of(owner), channel_of(owner)
    account = account_of(owner.own_team)
    connection_of(outsider)
    answer = api.get(LIST)
    assert ids(answer) == [str(one.pk) for one in (account, channel, provider)]
    shown = answer.json()["data"][2]
    assert shown["connected_at"]
    assert {name: shown[name] for name in shown if name not in {"id", "connected_at"}} == {
        "app": "providers",
        "platform": "bank",
        "account_name": "Ada",
        "status": "active",
        "needs_attention": None,
        "disconnected_at": None,
    }
    assert answer.json()["pagination"]["total"] == 3


def test_filters(api: APIClient, owner: User, world: Bank) -> None:
    live, over = connection_of(owner), connection_of(owner, status="disconnected")
    channel = channel_of(owner)
    assert ids(api.get(LIST, {"app": "channels"})) == [str(channel.pk)]
    assert ids(api.get(LIST, {"status": "disconnected"})) == [str(over.pk)]
    assert ids(api.get(LIST, {"status": "active"})) == [str(live.pk)]
    assert ids(api.get(LIST, {"needs_attention": "true"})) == []
    assert len(ids(api.get(LIST, {"needs_attention": "no", "limit": "2"}))) == 2
    assert len(ids(api.get(LIST, {"limit": "2", "page": "2"}))) == 1


def test_what_needs_attention_says_why(api: APIClient, owner: User, world: Bank) -> None:
    row = connection_of(owner)
    world.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    api.post(f"/api/v1/providers/{row.pk}/token-refreshes", {"force": True}, format="json")
    (shown,) = api.get(LIST, {"needs_attention": "true"}).json()["data"]
    needs = shown["needs_attention"]
    assert (shown["status"], needs["reason"], needs["ends_at"]) == (
        "expired",
        "grant_expired",
        None,
    )
    assert needs["since"].endswith("Z")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app", "x"),
        ("status", "gone"),
        ("needs_attention", "maybe"),
        ("limit", "101"),
        ("page", "0"),
    ],
)
def test_a_wrong_filter_is_a_400(api: APIClient, name: str, value: str) -> None:
    answer = api.get(LIST, {name: value})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert [one["field"] for one in answer.json()["errors"]] == [name]


def test_nobody_is_signed_in(anonymous: APIClient) -> None:
    assert anonymous.get(LIST).status_code == 401


def test_queries_do_not_grow(api: APIClient, owner: User, world: Bank) -> None:
    for number in range(30):
        connection_of(owner, account_id=f"customer-{number}")
    with CaptureQueriesContext(database) as captured:
        assert len(ids(api.get(LIST, {"limit": "25"}))) == 25
    assert len(captured) <= 4
