"""A connection type that nothing else names is found by everything that serves them all."""

import io
import re
from pathlib import Path

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import checks
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.connections import flow
from connections_project.core.periodic import periodic_task_of
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.metrics import tables
from connections_project.operations import offboarding
from connections_project.operations.bulk_jobs import start, store_selection
from connections_project.operations.options import DisconnectOptions
from connections_project.revocation.grants import add_holder
from connections_project.revocation.models import RevocationJob
from tests.fourth_type.conftest import Run
from tests.fourth_type.models import Calendar, CalendarAction, Status
from tests.metrics.conftest import Scrape, key
from tests.support.person_pages import come_back, connect, words
from tests.support.platform_server import PlatformServer
from tests.support.webhook_signing import tiktok_event, tiktok_signature

pytestmark = pytest.mark.django_db(transaction=True)
CALENDARS = "/admin/fourth_type/calendar/"
CALLBACK = "https://localhost:8000/oauth/callback/almanac"
WHY = ("--reason", "breach", "--yes", "--json")


def is_over(calendar: Calendar) -> bool:
    calendar.refresh_from_db()
    return calendar.status == Status.DISCONNECTED and calendar.auth_state is None


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def text(page: Client, address: str) -> str:
    answer = page.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_it_lacks_nothing() -> None:
    assert not [one for one in checks.run_checks() if one.id and one.id.startswith("connections.E")]


def test_operators_may_disconnect_it() -> None:
    held = Group.objects.get(name="Operators").permissions.values_list("codename", flat=True)
    assert {"view_calendar", "force_disconnect_calendar"} <= set(held)


class TestAdmin:
    def test_list_and_navigation(self, page: Client, calendar: Calendar) -> None:
        shown = text(page, CALENDARS)
        assert f'<a href="{CALENDARS}">Calendars</a>' in shown
        assert str(calendar.pk) in shown

    def test_page(self, page: Client, calendar: Calendar) -> None:
        shown = text(page, f"{CALENDARS}{calendar.pk}/change/")
        assert "green" in shown
        assert f"{CALENDARS}{calendar.pk}/force-disconnect/" in shown

    def test_dashboard(self, page: Client, calendar: Calendar) -> None:
        Calendar.objects.update(status=Status.REVOKED)
        periodic_task_of(tables.refresh).do()
        shown = text(page, "/admin/")
        assert "1 calendar is revoked: users have to connect again" in shown

    def test_forced_disconnect(self, page: Client, calendar: Calendar) -> None:
        address = f"{CALENDARS}{calendar.pk}/force-disconnect/"
        asked = text(page, address)
        assert "cancel_schedules" not in asked
        assert "erase_tokens" not in asked
        page.post(address, {"reason": "breach"})
        assert is_over(calendar)


def test_command(run: Run, calendar: Calendar, almanac: PlatformServer) -> None:
    result = run("disconnect_calendar", "--all", *WHY)
    assert (result["disconnected"], result["revocations"]) == (1, 1)
    assert is_over(calendar)
    assert almanac.requests[-1].path == "/revoke"
    expected = [CalendarAction.DISCONNECTED, "connection_force_disconnected", "token_revoked"]
    assert actions()[-3:] == expected


def test_bulk_job(calendar: Calendar, operator: User) -> None:
    origin = command_origin(operator)
    job = start(
        store_selection("fourth_type", Calendar.objects.all(), origin=origin),
        DisconnectOptions("breach"),
    )
    assert (job.state, job.disconnected) == ("finished", 1)
    assert is_over(calendar)


def test_inspection(run: Run, calendar: Calendar) -> None:
    known = run("inspect_connection", str(calendar.pk), "--json")
    assert known["connection"]["app"] == "fourth_type"
    assert known["connection"]["color"] == "green"


def test_receipt(run: Run, calendar: Calendar, api: APIClient) -> None:
    run("disconnect_calendar", str(calendar.pk), *WHY)
    receipt = api.get(f"/api/v1/receipts/{calendar.pk}").json()["receipt"]
    claims = jwt.decode(receipt, options={"verify_signature": False})
    assert (claims["app"], claims["platform"]) == ("fourth_type", "almanac")
    assert claims["erased"] == ["credentials"]
    assert claims["revocation"]["state"] == "revoked"


def test_replay(run: Run, calendar: Calendar, tmp_path: Path) -> None:
    backup = Calendar.objects.get()
    run("disconnect_calendar", "--all", *WHY)
    path = tmp_path / "audit.jsonl"
    call_command("export_audit_log", output=path, stdout=io.StringIO())
    RevocationJob.objects.all().delete()
    backup.save()
    add_holder(backup.grant, app=backup.app, connection_id=backup.pk)
    summary = run("replay_disconnects", path, *WHY)
    assert (summary["recorded"], summary["disconnected"], summary["revocations"]) == (1, 1, 1)
    assert is_over(calendar)


class TestOffboarding:
    def test_it_is_shown(self, page: Client, calendar: Calendar, owner: User) -> None:
        shown = text(page, f"/admin/identity/user/{owner.pk}/deactivate/")
        assert re.search('<th scope="row">fourth_type</th><td class="number"[^>]*>1</td>', shown)

    def test_it_goes_with_its_user(self, calendar: Calendar, owner: User) -> None:
        offboarding.forget(owner, reason="left", origin=command_origin(None))
        assert is_over(calendar)
        assert calendar.platform_account_name == ""


def test_deauthorization(calendar: Calendar, anonymous: APIClient) -> None:
    body = tiktok_event(user_openid="customer-7", client_key="our client")
    sign = tiktok_signature(body, secret="client secret")
    answer = anonymous.post(
        "/api/v1/webhooks/tiktok",
        body,
        content_type="application/json",
        headers={"TikTok-Signature": sign},
    )
    assert answer.status_code == 200
    calendar.refresh_from_db()
    assert (calendar.status, calendar.auth_state) == (Status.REVOKED, None)
    assert actions() == ["connection_deauthorized"]


def test_metrics(run: Run, calendar: Calendar, scrape: Scrape) -> None:
    run("disconnect_calendar", "--all", *WHY)
    periodic_task_of(tables.refresh).do()
    name = key("connections_connections", app="fourth_type", status="disconnected")
    assert scrape()[name] == 1
    metrics = tables.last_counted()
    assert metrics is not None
    (*_, today) = metrics.metrics["days"].values()
    assert today == {"connected": 0, "disconnected": 1, "failed": 0}


def test_callback_page(almanac: PlatformServer, owner: User) -> None:
    started = flow.begin(
        app="fourth_type",
        slug="almanac",
        principal=owner,
        redirect_uri=None,
        browser="any",
        details={},
    )
    browser = Client()
    browser.force_login(owner)
    query = {"state": started.state, "code": "the-code"}
    assert "Almanac is connected" in browser.get("/oauth/callback/almanac", query).content.decode()
    assert Calendar.objects.get().status == Status.ACTIVE
    assert actions()[-1] == CalendarAction.CONNECTED


def test_persons_page(calendar: Calendar, owner: User) -> None:
    settings.OAUTH_CLIENTS["almanac"]["redirect_uris"] = [CALLBACK]
    browser = Client()
    browser.force_login(owner)
    shown = words(browser.get("/connections"))
    assert "Almanac Ada Connected since" in shown
    assert "Connect Almanac" in shown
    query = connect(browser, "almanac")
    assert come_back(browser, query).headers["Location"].endswith("&status=connected")
    done = browser.post(f"/connections/{calendar.pk}/disconnect", follow=True)
    assert "Almanac is disconnected" in words(done)
    assert is_over(calendar)


def test_platforms(anonymous: APIClient) -> None:
    (listed,) = anonymous.get("/api/v1/platforms", {"app": "fourth_type"}).json()["platforms"]
    assert (listed["slug"], listed["status"]) == ("almanac", "active")
