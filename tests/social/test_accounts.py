"""`GET /accounts`: what a team has."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import Team
from social.models import SocialAccount
from tests.social.conftest import KeyClient
from tests.support.gallery import SOCIAL, Gallery
from tests.support.social_rows import account_of

ACCOUNTS = f"{SOCIAL}/accounts"


def listed(client: APIClient, query: str = "") -> list[str]:
    """Return the names of the accounts that are listed, in their order."""
    answer = client.get(f"{ACCOUNTS}{query}")
    assert answer.status_code == 200
    return [one["accountName"] for one in answer.json()["accounts"]]


def test_newest_first_with_inactive_ones(api: APIClient, team: Team, gallery: Gallery) -> None:
    now = timezone.now()
    for number, status in enumerate(["active", "disconnected", "expired"]):
        then = now + timedelta(minutes=number)
        account_of(team, status=status, account_id=str(number), name=f"@{status}", now=then)
    assert listed(api) == ["@expired", "@disconnected", "@active"]
    one = api.get(ACCOUNTS).json()["accounts"][1]
    row = SocialAccount.objects.get(status="disconnected")
    assert row.disconnected_at is not None
    assert one == {
        "id": str(row.pk),
        "platform": "gallery",
        "accountName": "@disconnected",
        "isActive": False,
        "connectedAt": f"{row.connected_at:%Y-%m-%dT%H:%M:%SZ}",
        "disconnectedAt": f"{row.disconnected_at:%Y-%m-%dT%H:%M:%SZ}",
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("true", ["@active"]),
        ("1", ["@active"]),
        ("YES", ["@active"]),
        ("off", ["@disconnected"]),
        ("False", ["@disconnected"]),
    ],
)
def test_they_can_be_filtered(
    api: APIClient, team: Team, gallery: Gallery, text: str, names: list[str]
) -> None:
    account_of(team, name="@active")
    account_of(team, account_id="8", status="disconnected", name="@disconnected")
    assert listed(api, f"?active={text}") == names


@pytest.mark.parametrize("text", ["", "maybe", "2", "%00"])
def test_a_bad_filter_is_named(api: APIClient, text: str) -> None:
    answer = api.get(f"{ACCOUNTS}?active={text}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "Validation failed"
    assert [one["field"] for one in answer.json()["details"]] == ["active"]


def test_a_key_needs_the_scope(with_key: KeyClient, team: Team) -> None:
    assert with_key(team, "social:read").get(ACCOUNTS).status_code == 200
    answer = with_key(team, "social:write", "social:publish").get(ACCOUNTS)
    assert (answer.status_code, answer.json()["error"]) == (403, "Insufficient scope")


@pytest.mark.parametrize("length", [0, 1, 50])
def test_a_list_takes_one_statement(
    api: APIClient, team: Team, gallery: Gallery, length: int, django_assert_num_queries: Any
) -> None:
    for number in range(length):
        account_of(team, account_id=str(number))
    with django_assert_num_queries(3):
        assert len(listed(api)) == length
