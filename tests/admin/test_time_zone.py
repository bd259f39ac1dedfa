"""Operators read and type times in their own zone, with UTC beside; nobody else notices."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from audit.models import AuditEvent
from connections_project.identity.models import User
from tests.admin.test_connection_lists import ids_on
from tests.support.admin_pages import text_of
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

SUMMER = datetime(2026, 7, 31, 22, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
AUDIT = "/admin/audit/auditevent/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_berlin(page: Client) -> Client:
    answer = page.post("/admin/time-zone/?next=/admin/identity/user/", {"zone": "Europe/Berlin"})
    assert answer["Location"] == "/admin/identity/user/"
    cookie = answer.cookies["admin_time_zone"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/admin/", True, "Lax")
    assert cookie["max-age"] > 86400
    return page


def test_utc_without_a_choice(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, now=SUMMER)
    page_of_it = text_of(page, f"/admin/providers/connection/{row.pk}/change/")
    assert "2026-07-31 22:30:00 UTC, " in page_of_it
    assert "Times in UTC" in page_of_it


def test_the_chosen_zone_with_utc_beside(in_berlin: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, now=SUMMER)
    page_of_it = text_of(in_berlin, f"/admin/providers/connection/{row.pk}/change/")
    assert "2026-08-01 00:30:00 CEST (2026-07-31 22:30:00 UTC), " in page_of_it
    assert "Times in Europe/Berlin" in page_of_it
    made = AuditEvent.objects.create(
        occurred_at=SUMMER.replace(hour=10),
        action="provider_updated",
        outcome="success",
        actor_type="system",
        interface="worker",
    )
    for path in (AUDIT, f"{AUDIT}{made.pk}/change/"):
        assert "2026-07-31 12:30:00 CEST (10:30:00 UTC)" in text_of(in_berlin, path)


def test_what_is_typed_is_read_in_it(in_berlin: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner)
    # Ids are time-ordered: they begin with the milliseconds.
    made = datetime.fromtimestamp((row.pk.int >> 80) / 1000, UTC).astimezone(BERLIN)
    for minutes, is_found in ((-1, True), (1, False)):
        typed = f"{made + timedelta(minutes=minutes):%Y-%m-%d %H:%M}"
        assert (ids_on(in_berlin, **{"from": typed}) == [str(row.pk)]) is is_found
        assert (ids_on(in_berlin, until=typed) == []) is is_found


def test_an_unknown_zone_or_another_site_is_refused(page: Client) -> None:
    answer = page.post("/admin/time-zone/", {"zone": "Mars/Olympus"})
    assert answer.status_code == 200
    assert "admin_time_zone" not in answer.cookies
    answer = page.post("/admin/time-zone/?next=https://evil.example.com/", {"zone": "UTC"})
    assert answer["Location"] == "/admin/"
    page.cookies["admin_time_zone"] = "../../etc/passwd"
    assert "Times in UTC" in text_of(page, "/admin/")


@pytest.mark.parametrize("back", ["%00", "x", "a.b", "connections", "?a=b", "admin:index"])
def test_odd_ways_back_are_no_failure(page: Client, back: str) -> None:
    answer = page.post("/admin/time-zone/", {"zone": "UTC"}, query_params={"next": back})
    assert answer.status_code == 302
    assert "//" not in answer["Location"]
