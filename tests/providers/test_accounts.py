"""`GET /accounts` (docs/api.md, "Accounts and syncs")."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from providers.models import Account, Connection
from tests.support.provider_connecting import wrong_fields
from tests.support.provider_rows import connection_of

URL = "/api/v1/accounts"


def accounts_of(row: Connection, count: int, **columns: Any) -> list[Account]:
    """Make accounts, the newest first."""
    now = timezone.now()
    return [
        Account.objects.create(
            connection=row,
            platform_account_id=f"acc-{number}",
            created_at=now - timedelta(minutes=number),
            updated_at=now,
            **columns,
        )
        for number in range(count)
    ]


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["data"]]


def test_an_account_shows_these_fields_and_no_more(api: APIClient, row: Connection) -> None:
    facts = {"name": "Everyday", "type": "checking", "currency": "EUR", "balance": "1204.5"}
    (account,) = accounts_of(row, 1, **facts)
    answer = api.get(URL)
    assert answer.json() == {
        "data": [
            {
                **facts,
                "id": str(account.pk),
                "connection_id": str(row.pk),
                "balance": "1204.50",
                "updated_at": account.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ],
        "pagination": {
            "page": 1, "limit": 20, "total": 1, "total_pages": 1,
            "has_next": False, "has_prev": False,
        },
    }  # fmt: skip


def test_an_unknown_balance_is_null(api: APIClient, row: Connection) -> None:
    accounts_of(row, 1)
    assert api.get(URL).json()["data"][0]["balance"] is None


def test_the_newest_comes_first_page_by_page(api: APIClient, row: Connection) -> None:
    expected = [str(one.pk) for one in accounts_of(row, 45)]
    pages = [api.get(URL, {"page": page}) for page in (1, 2, 3, 4)]
    assert [ids(page) for page in pages] == [expected[:20], expected[20:40], expected[40:], []]
    assert pages[1].json()["pagination"] == {
        "page": 2, "limit": 20, "total": 45, "total_pages": 3, "has_next": True, "has_prev": True,
    }  # fmt: skip
    last = pages[2].json()["pagination"]
    assert (last["has_next"], last["has_prev"]) == (False, True)


def test_rows_of_the_same_moment_keep_their_order(api: APIClient, row: Connection) -> None:
    made = accounts_of(row, 6)
    Account.objects.update(created_at=timezone.now())
    expected = sorted((str(one.pk) for one in made), reverse=True)
    got = [one for page in (1, 2, 3) for one in ids(api.get(URL, {"page": page, "limit": 2}))]
    assert got == expected


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("page", text) for text in ("0", "-1", "x", "", "1.5", "%00", "9" * 5000)),
        *(("limit", text) for text in ("0", "101", "-1", "x", "", "1e2")),
    ],
)
def test_a_bad_page_or_limit_is_a_400_that_names_it(
    api: APIClient, row: Connection, field: str, text: str
) -> None:
    answer = api.get(f"{URL}?{field}={text}")
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("page", ["2", "9" * 30])
def test_beyond_the_end_is_empty(api: APIClient, row: Connection, page: str) -> None:
    accounts_of(row, 1)
    answer = api.get(URL, {"page": page})
    assert ids(answer) == []
    assert answer.json()["pagination"]["total"] == 1


def test_all_own_connections_or_one(api: APIClient, row: Connection, owner: User) -> None:
    (first,) = accounts_of(row, 1)
    other = connection_of(owner, account_id="another")
    (second,) = accounts_of(other, 1)
    assert set(ids(api.get(URL))) == {str(first.pk), str(second.pk)}
    for spelling in (str(other.pk), str(other.pk).upper()):
        assert ids(api.get(URL, {"connection_id": spelling})) == [str(second.pk)]


def test_nobody_sees_somebody_elses(
    outsider: User, row: Connection, sign_in: Callable[[User], APIClient]
) -> None:
    accounts_of(row, 1)
    assert ids(sign_in(outsider).get(URL)) == []
    answer = sign_in(outsider).get(URL, {"connection_id": str(row.pk)})
    assert answer.status_code == 403


def test_an_unknown_connection_is_a_404(api: APIClient) -> None:
    assert api.get(URL, {"connection_id": str(uuid7())}).status_code == 404


@pytest.mark.parametrize("wanted", ["nonsense", "", "{018f3e0c-7b1a-7c3d-8e4f-0123456789ab}"])
def test_a_malformed_connection_id_is_a_400(api: APIClient, wanted: str) -> None:
    assert wrong_fields(api.get(URL, {"connection_id": wanted})) == ["connection_id"]


def test_they_still_answer_after_a_disconnect(api: APIClient, row: Connection) -> None:
    (account,) = accounts_of(row, 1)
    assert api.delete(f"/api/v1/providers/{row.pk}").status_code == 204
    assert ids(api.get(URL)) == [str(account.pk)]
    assert ids(api.get(URL, {"connection_id": str(row.pk)})) == [str(account.pk)]


def test_a_deletion_hides_them_without_deleting(api: APIClient, row: Connection) -> None:
    accounts_of(row, 1)
    for _ in range(2):
        api.delete(f"/api/v1/providers/{row.pk}")
    assert ids(api.get(URL)) == []
    assert api.get(URL, {"connection_id": str(row.pk)}).status_code == 404
    assert Account.objects.count() == 1


def test_no_credentials_401_trailing_slash_404(api: APIClient, anonymous: APIClient) -> None:
    assert anonymous.get(URL).status_code == 401
    assert api.get(f"{URL}/").status_code == 404
