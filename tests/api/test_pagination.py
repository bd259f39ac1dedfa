"""Pages are cut as the query says, and a wrong query is a 400."""

from typing import Any
from uuid import UUID

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from audit.models import AuditEvent
from connections_project.api.errors import ApiException
from connections_project.api.pagination import paginate

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> list[UUID]:
    """Forty-five rows; their ids, newest first."""
    words = {"outcome": "success", "actor_type": "system", "interface": "command"}
    made = [AuditEvent(action="a", subject_type="s", trace_id="t", **words) for _ in range(45)]
    return [row.id for row in reversed(AuditEvent.objects.bulk_create(made))]


def page_of(**query: str) -> tuple[list[UUID], dict[str, Any]]:
    request = Request(RequestFactory().get("/", query))
    found, pagination = paginate(AuditEvent.objects.order_by("-id"), request)
    return [row.id for row in found], pagination


def test_the_first_twenty_without_a_query(rows: list[UUID]) -> None:
    found, pagination = page_of()
    assert found == rows[:20]
    assert pagination == {
        "page": 1,
        "limit": 20,
        "total": 45,
        "total_pages": 3,
        "has_next": True,
        "has_prev": False,
    }


def test_the_last_page_is_what_is_left(rows: list[UUID]) -> None:
    found, pagination = page_of(page="5", limit="10")
    assert found == rows[40:]
    assert (pagination["has_next"], pagination["has_prev"]) == (False, True)


@pytest.mark.parametrize("page", ["4", "99999999999999999999", "9" * 4000])
def test_beyond_the_end_it_is_empty(rows: list[UUID], page: str) -> None:
    found, pagination = page_of(page=page)
    assert found == []
    assert (pagination["total"], pagination["total_pages"], pagination["has_next"]) == (
        45,
        3,
        False,
    )


def test_an_empty_list_has_no_pages() -> None:
    found, pagination = page_of()
    assert (found, pagination["total"], pagination["total_pages"]) == ([], 0, 0)


@pytest.mark.parametrize("limit", ["1", "100"])
def test_the_bounds_of_limit_are_taken(rows: list[UUID], limit: str) -> None:
    assert len(page_of(limit=limit)[0]) == min(int(limit), 45)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[("page", text) for text in ("0", "-1", "", "x", "1.0", "\u0661", "\u00b2", "9" * 5000)],
        *[("limit", text) for text in ("0", "101", "-5", "", "ten", "1e1", " 5")],
    ],
)
def test_a_wrong_page_or_limit_is_named(name: str, text: str) -> None:
    with pytest.raises(ApiException) as raised:
        page_of(**{name: text})
    error = raised.value.error
    assert (error.status, [field.field for field in error.fields]) == (400, [name])


def test_a_page_takes_two_queries(rows: list[UUID], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        page_of(limit="100")
