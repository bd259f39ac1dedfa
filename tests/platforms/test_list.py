"""`GET /platforms`: what can be connected, for anybody to see (docs/api.md, "Conventions")."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.platforms.models import Suspension
from tests.support.bank import Bank
from tests.support.provider_connecting import problem, wrong_fields

PLATFORMS = "/api/v1/platforms"


def listed(client: APIClient, **query: str) -> dict[str, Any]:
    answer = client.get(PLATFORMS, query)
    assert answer.status_code == 200
    assert set(answer.json()) == {"platforms"}
    return {one["slug"]: one for one in answer.json()["platforms"]}


def test_it_is_public_and_has_the_contracts_fields(anonymous: APIClient, bank: Bank) -> None:
    assert listed(anonymous)["bank"] == {
        "app": "providers",
        "slug": "bank",
        "name": "Bank",
        "status": "active",
        "available": True,
        "help_url": "https://bank.example.com/apps",
        "publishes": False,
    }


def test_only_what_can_be_connected_is_available(anonymous: APIClient, bank: Bank) -> None:
    Suspension.objects.create(slug="bank", reason="r", suspended_at=timezone.now())
    found = listed(anonymous)
    assert not any(found[slug]["available"] for slug in ("bank", "schwab", "chase"))


def test_it_says_what_can_be_published(anonymous: APIClient, bank: Bank) -> None:
    found = {slug: one["publishes"] for slug, one in listed(anonymous).items()}
    assert (found["youtube"], found["bluesky"], found["schwab"]) == (False, False, False)
    assert found["instagram_business"] == {"text_max": 2200, "image": "required", "options": {}}
    visibility = found["mastodon"]["options"]["visibility"]
    assert visibility["choices"] == ["public", "unlisted", "private", "direct"]
    assert (found["x"]["text_max"], found["mastodon"]["text_max"]) == (280, 500)


def test_it_takes_one_query(anonymous: APIClient, bank: Bank) -> None:
    with CaptureQueriesContext(connection) as queries:
        listed(anonymous)
    assert len(queries) == 1


def test_the_shipped_providers_are_there(anonymous: APIClient, bank: Bank) -> None:
    found = listed(anonymous, app="providers")
    assert {"schwab", "coinbase", "monzo", "tradestation", "alpaca", "chase"} <= set(found)
    assert found["chase"]["status"] == "planned"
    assert {one["app"] for one in found.values()} == {"providers"}


def test_an_app_without_platforms_has_an_empty_list(anonymous: APIClient, bank: Bank) -> None:
    assert "bank" not in listed(anonymous, app="channels")


@pytest.mark.parametrize("app", ["bank", "", "PROVIDERS"])
def test_an_unknown_app_is_named(anonymous: APIClient, bank: Bank, app: str) -> None:
    assert wrong_fields(anonymous.get(PLATFORMS, {"app": app})) == ["app"]


def test_no_credentials_or_endpoints_are_shown(anonymous: APIClient, bank: Bank) -> None:
    text = anonymous.get(PLATFORMS).content.decode()
    assert "our client" not in text
    assert "client secret" not in text
    assert bank.server.url not in text


def test_even_a_bad_bearer_sees_it(anonymous: APIClient, bank: Bank) -> None:
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert "bank" in listed(anonymous)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [(PLATFORMS, "post", 405), (PLATFORMS, "options", 405), (f"{PLATFORMS}/", "get", 404)],
)
def test_other_calls_are_refused_as_problems(
    anonymous: APIClient, bank: Bank, path: str, method: str, status: int
) -> None:
    assert problem(getattr(anonymous, method)(path))[0] == status
