"""PATCH as Entra ID and Okta send it, by their own documents."""

from functools import cache, partial
from typing import Any

import pytest
from django.conf import LazySettings

from connections_project.core import places
from tests.scim.conftest import Directory, principal
from tests.support.steps import steps


@pytest.fixture
def user_id(directory: Directory) -> str:
    return str(directory.create(userName="kim", externalId="k-1", displayName="Kim").json()["id"])


def test_entra_id_writes_operations_its_way(directory: Directory, user_id: str) -> None:
    """learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups"""
    answer = directory.patch(
        user_id,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "kim@corp.local"},
        {"op": "Replace", "path": "name.familyName", "value": "Möller"},
        {"op": "Add", "value": {"name.givenName": "Kim", "displayName": "Kim Möller"}},
        {
            "op": "Add",
            "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "value": "Sales",
        },
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["emails"] == [{"value": "kim@corp.local", "type": "work"}]
    assert body["name"] == {"familyName": "Möller", "givenName": "Kim"}
    assert body["displayName"] == "Kim Möller"
    assert principal(body).issuer_email == "kim@corp.local"


@pytest.mark.parametrize(
    "operation",
    [
        # Entra ID, without the flag aadOptscim062020 and with it.
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "path": "active", "value": False},
        # Okta: developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20
        {"op": "replace", "value": {"active": False}},
    ],
)
def test_all_ways_to_deactivate_do(
    directory: Directory, user_id: str, operation: dict[str, Any]
) -> None:
    answer = directory.patch(user_id, operation)
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert not principal(answer.json()).is_active


def test_okta_changes_a_profile(directory: Directory, user_id: str) -> None:
    """Okta replaces whole resources, and sends a password that nothing is kept of."""
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": user_id,
        "externalId": "k-1",
        "userName": "kim@example.com",
        "name": {"givenName": "Another", "middleName": "", "familyName": "User"},
        "emails": [{"primary": True, "value": "kim@example.com", "type": "work"}],
        "active": True,
        "groups": [],
        "password": "a secret that nobody wants",
        "meta": {"resourceType": "User"},
    }
    answer = directory.call("PUT", f"/Users/{user_id}", body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["name"]["familyName"] == "User"
    assert b"secret" not in answer.content


def test_a_wrong_operation_changes_nothing(directory: Directory, user_id: str) -> None:
    answer = directory.patch(
        user_id,
        {"op": "replace", "path": "displayName", "value": "Lee"},
        {"op": "replace", "path": "userName", "value": ""},
    )
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    for operation in ({"op": "burn"}, {"op": "remove"}, {"op": "add", "path": "displayName"}):
        assert directory.patch(user_id, operation).status_code == 400
    assert directory.patch(user_id).status_code == 400
    assert directory.get(f"/Users/{user_id}").json()["displayName"] == "Kim"


def test_a_wrong_value_is_named_in_one_line(directory: Directory, user_id: str) -> None:
    answer = directory.patch(user_id, {"op": "replace", "path": "active", "value": "perhaps"})
    refusal = answer.json()
    assert (answer.status_code, refusal["scimType"]) == (400, "invalidValue")
    assert refusal["detail"].endswith(": active")
    assert "\n" not in refusal["detail"]


def test_many_operations_take_few_steps(directory: Directory, user_id: str) -> None:
    def add(number: int) -> dict[str, Any]:
        return {"op": "add", "path": "emails", "value": [{"value": f"{number}@example.com"}]}

    def refused(count: int) -> None:
        answer = directory.patch(user_id, *map(add, range(count)))
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")

    refused(101)
    assert steps(partial(refused, 1000)) < steps(partial(refused, 60)) < 10_000_000
    assert directory.patch(user_id, *map(add, range(5000))).status_code == 413


FILTERED = 'emails[type eq "t1"].display'
LONG = f"emails[{' or '.join(60 * ['type eq 1'])}].display"


@pytest.mark.parametrize("name", ["path", "PATH"])
@pytest.mark.parametrize(
    ("path", "count", "status"), [(FILTERED, 20, 200), (FILTERED, 21, 400), (LONG, 1, 400)]
)
def test_filters_in_paths_are_few_and_short(
    directory: Directory, user_id: str, name: str, path: str, count: int, status: int
) -> None:
    """Ninety of sixty terms, on fifty addresses, took ten seconds."""
    email = {"value": "a@example.com", "type": "t1"}
    directory.patch(user_id, {"op": "add", "path": "emails", "value": [email]})
    one = {"op": "replace", name: path, "value": "x"}
    assert directory.patch(user_id, *[one] * count).status_code == status


def test_so_are_those_in_the_names_of_values(directory: Directory, user_id: str) -> None:
    answer = directory.patch(user_id, {"op": "add", "value": {LONG: "x"}})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert "128" in answer.json()["detail"]


def test_a_removed_active_is_true(directory: Directory, user_id: str) -> None:
    directory.patch(user_id, {"op": "replace", "path": "active", "value": False})
    answer = directory.patch(user_id, {"op": "remove", "path": "active"})
    assert (answer.status_code, answer.json()["active"]) == (200, True)


def test_filters_leave_threads_for_others(
    directory: Directory, user_id: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 4
    monkeypatch.setattr(places, "places", cache(places.places.__wrapped__))
    filtered = {"op": "remove", "path": FILTERED}
    with places.a_place("scim_filters"):
        busy = directory.patch(user_id, filtered)
        assert (busy.status_code, busy["Retry-After"]) == (503, "1")
        plain = {"op": "replace", "path": "displayName", "value": "Kim"}
        assert directory.patch(user_id, plain).status_code == 200
    assert directory.patch(user_id, filtered).status_code != 503
