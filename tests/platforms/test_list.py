"""`GET /platforms`: what can be connected, for anybody to see (docs/api.md, "Conventions")."""

from typing import Any

import pytest
from rest_framework.test import APIClient

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
        "help_url": "https://bank.example.com/apps",
    }


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
