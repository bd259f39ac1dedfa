"""Operators read and type times in their own zone, with UTC beside; nobody else notices."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.admin.formatting import exact_time
from connections_project.admin.time_zone import MomentField
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


@pytest.mark.parametrize(
    ("zone", "end"), [("Pacific/Auckland", (9999, 12, 31)), ("America/Los_Angeles", (1, 1, 1))]
)
def test_the_ends_of_the_calendar_are_shown_in_utc(zone: str, end: tuple[int, int, int]) -> None:
    when = datetime(*end, hour=23 if end[0] > 1 else 1, tzinfo=UTC)
    with timezone.override(ZoneInfo(zone)):
        assert exact_time(when) == f"{when:%Y-%m-%d %H}:00:00 UTC".zfill(23)


@pytest.mark.parametrize(
    ("zone", "typed"),
    [("America/Los_Angeles", "9999-12-31 23:00"), ("Pacific/Auckland", "0001-01-01 00:30")],
)
def test_a_time_that_is_none_in_utc_is_no_time(zone: str, typed: str) -> None:
    with timezone.override(ZoneInfo(zone)), pytest.raises(forms.ValidationError):
        MomentField().clean(typed)


def test_no_form_reads_a_time_in_another_way() -> None:
    assert get_resolver().url_patterns  # With them all views are imported.
    found = {
        (form.__name__, name)
        for form in below(forms.BaseForm)
        for name, field in getattr(form, "base_fields", {}).items()
        if form.__module__.startswith(("connections_project", "audit", "channels", "social"))
        and isinstance(field, forms.DateTimeField | forms.DateField)
        and not isinstance(field, MomentField)
    }
    assert found == set()


def below(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


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
