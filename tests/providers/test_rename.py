"""`PATCH /providers/{id}` (docs/api.md, "Providers")."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, events


@pytest.fixture
def row(owner: User, bank: Bank) -> Connection:
    return connection_of(owner, alias="Old")


def rename(api: APIClient, connection_id: object, body: Any) -> Any:
    return api.patch(f"/api/v1/providers/{connection_id}", body, format="json")


def alias_of(row: Connection) -> str | None:
    row.refresh_from_db()
    return row.alias


def test_the_alias_is_changed_and_answered(api: APIClient, row: Connection) -> None:
    answer = rename(api, row.pk, {"alias": "Personal Brokerage"})
    assert answer.status_code == 200
    assert answer.json()["alias"] == alias_of(row) == "Personal Brokerage"
    assert answer.json() == api.get(f"/api/v1/providers/{row.pk}").json()


def test_it_is_audited_without_the_alias(api: APIClient, row: Connection, owner: User) -> None:
    rename(api, row.pk, {"alias": "My secret bank"})
    (event,) = events("provider_updated")
    assert (event.subject_id, event.actor_id, event.actor_type) == (row.pk, owner.pk, "user")
    assert event.details == {"platform": "bank", "changed": ["alias"]}


def test_null_takes_the_alias_away(api: APIClient, row: Connection) -> None:
    assert rename(api, row.pk, {"alias": None}).json()["alias"] is None
    assert alias_of(row) is None


def test_a_hundred_characters_of_any_bytes_fit(api: APIClient, row: Connection) -> None:
    assert rename(api, row.pk, {"alias": "🏦" * 100}).status_code == 200
    assert alias_of(row) == "🏦" * 100


def test_unknown_fields_are_ignored(api: APIClient, row: Connection) -> None:
    body = {"alias": "New", "status": "failed", "provider_slug": "x", "user": str(uuid7())}
    answer = rename(api, row.pk, body)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["provider_slug"]) == ("active", "bank")


@pytest.mark.parametrize(
    "alias", ["", "   ", "x" * 101, "a\x00b", "\ud800", 7, True, 1.5, [], {}, ["x"]]
)
def test_a_wrong_alias_is_a_400_that_names_it(
    api: APIClient, row: Connection, alias: object
) -> None:
    body = json.dumps({"alias": alias})
    url = f"/api/v1/providers/{row.pk}"
    answer = api.patch(url, body, content_type="application/json")
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == ["alias"]
    assert alias_of(row) == "Old"


def test_a_missing_alias_is_a_400(api: APIClient, row: Connection) -> None:
    answer = rename(api, row.pk, {})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "required")


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null", "\xff", '{"alias": NaN}', "[" * 99_999])
def test_a_body_that_is_no_json_object_is_a_400(api: APIClient, row: Connection, body: str) -> None:
    answer = api.patch(
        f"/api/v1/providers/{row.pk}", body.encode("latin-1"), content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "body"


def test_another_media_type_is_a_415(api: APIClient, row: Connection) -> None:
    url = f"/api/v1/providers/{row.pk}"
    assert api.patch(url, "alias=x", content_type="text/plain").status_code == 415


def test_a_body_over_a_mebibyte_is_a_413(api: APIClient, row: Connection) -> None:
    answer = rename(api, row.pk, {"alias": "x" * 1_100_000})
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


def test_a_stranger_learns_nothing_from_checks(
    outsider: User, row: Connection, sign_in: Callable[[User], APIClient]
) -> None:
    others_api = sign_in(outsider)
    assert rename(others_api, row.pk, {"alias": "Theirs"}).status_code == 403
    assert rename(others_api, row.pk, {"alias": 7}).status_code == 403
    assert alias_of(row) == "Old"
    assert events("provider_updated") == []


def test_unknown_malformed_and_deleted_are_404(api: APIClient, owner: User, bank: Bank) -> None:
    gone = connection_of(owner, status="disconnected", deleted_at=timezone.now())
    for connection_id in (uuid7(), "nonsense", gone.pk):
        assert rename(api, connection_id, {"alias": "x"}).status_code == 404


def test_no_credentials_are_a_401(anonymous: APIClient, row: Connection) -> None:
    assert rename(anonymous, row.pk, {"alias": "x"}).status_code == 401


def test_renaming_does_not_disturb_a_refresh(api: APIClient, row: Connection) -> None:
    rename(api, row.pk, {"alias": "New"})
    epoch = row.epoch
    row.refresh_from_db()
    # A changed epoch would have the refresh's tokens thrown away.
    assert row.epoch == epoch
