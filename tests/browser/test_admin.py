"""Operators walk the admin in a real browser, under its own Content-Security-Policy."""

from base64 import b32decode

import pytest
from django.conf import LazySettings
from django.db import transaction
from django_otp.oath import totp
from playwright.sync_api import Page, expect
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.identity.second_factor import enrol
from connections_project.metrics.tables import refresh
from connections_project.operations.bulk_worker import process_bulk_jobs
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.admin.conftest import auditor, operator
from tests.conftest import PASSWORD
from tests.support.admin_pages import many
from tests.support.bank import Bank, connect
from tests.support.browser_pages import Watched
from tests.support.provider_rows import connection_of

__all__ = ["auditor", "operator"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_operator_signs_in_and_disconnects_one(
    watched: Watched,
    operator: User,
    settings: LazySettings,
    bank: Bank,
    api: APIClient,
    owner: User,
) -> None:
    settings.ADMIN_TOTP_REQUIRED = True
    with transaction.atomic():
        secret = enrol(operator).secret
    row = connect(api)
    connection_of(owner, status="expired", account_id="another")
    refresh()
    page = watched.page
    watched.sign_in(operator, f"{totp(b32decode(secret)):06}")

    by_status = page.get_by_role("region", name="Connections by status")
    by_status.get_by_role("link", name="Provider connections").click()
    page.get_by_role("navigation", name="Filter").get_by_role(
        "link", name="active", exact=True
    ).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name=shown(row)).click()
    expect(page.get_by_role("heading", name="Ada at Bank")).to_be_visible()

    page.get_by_role("link", name="Disconnect by force").click()
    expect(page.get_by_text("connection ends, for good")).to_be_visible()
    page.get_by_label("Reason").fill("Breach at the bank, incident 4711")
    page.get_by_role("button", name="Disconnect 1 connection").click()
    expect(page.get_by_text("1 disconnected, 1 revocation pending")).to_be_visible()
    timeline = page.get_by_role("region", name="Timeline, newest first")
    expect(timeline).to_contain_text(f"connection_force_disconnected by operator {operator.email}")
    expect(timeline).to_contain_text("“Breach at the bank, incident 4711”")
    expect(timeline).to_contain_text("token_revoked")
    assert len(bank.revoked) == 2


def test_with_the_keyboard_alone_a_selection_is_ended(
    watched: Watched, operator: User, bank: Bank, owner: User
) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(3)]
    page = watched.page
    page.goto("/admin/")
    expect(page.locator("input[name=username]")).to_be_focused()
    page.keyboard.type(operator.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What needs attention")).to_be_visible()
    page.goto("/admin/providers/connection/")
    tab_to(page, "#action-toggle")
    page.keyboard.press("Space")
    expect(page.get_by_text("3 of 3 selected")).to_be_visible()
    tab_back_to(page, "select[name=action]")
    page.keyboard.type("Disconnect")
    tab_to(page, "button[name=index]")
    page.keyboard.press("Enter")
    expect(page.locator("textarea[name=reason]")).to_be_focused()
    page.keyboard.type("breach")
    tab_to(page, "input[type=submit].destructive")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 disconnected")).to_be_visible()
    left = Connection.objects.filter(pk__in=[row.pk for row in rows], status="active")
    assert not left.exists()


def shown(row: Connection | RevocationJob) -> str:
    """Return a row's id as lists show it."""
    return f"{str(row.pk)[:8]}…{str(row.pk)[-6:]}"


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until the element has the focus, which has to show."""
    for _ in range(80):
        page.keyboard.press(key)
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{selector} shows no focus"
            return
    pytest.fail(f"{selector} can't be reached with {key}")


def tab_back_to(page: Page, selector: str) -> None:
    tab_to(page, selector, "Shift+Tab")


def test_without_permission_no_button_and_a_refusal(
    watched: Watched, auditor: User, bank: Bank, owner: User
) -> None:
    row = connection_of(owner)
    page = watched.page
    watched.sign_in(auditor)
    page.goto("/admin/providers/connection/")
    expect(page.get_by_role("link", name=shown(row))).to_be_visible()
    expect(page.locator("select[name=action]")).to_have_count(0)
    page.goto(f"/admin/providers/connection/{row.pk}/change/")
    expect(page.get_by_role("link", name="Disconnect by force")).to_have_count(0)
    answer = page.goto(f"/admin/providers/connection/{row.pk}/force-disconnect/")
    assert answer is not None
    assert answer.status == 403
    # Chromium writes each refused page into its console.
    watched.complaints = [one for one in watched.complaints if "403" not in one]


def test_many_are_ended_in_the_background_and_watched(
    watched: Watched, operator: User, settings: LazySettings, bank: Bank, owner: User
) -> None:
    many(owner)
    # With workers elsewhere the page has something to wait for; nobody listens at this address.
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    page = watched.page
    watched.sign_in(operator)
    page.goto("/admin/providers/connection/")
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Select everything that matches, on all pages").click()
    page.locator("select[name=action]").select_option("force_disconnect_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("connections are disconnected in the background")).to_be_visible()
    page.get_by_label("Reason").fill("breach")
    page.locator("input[type=submit].destructive").click()
    expect(page.get_by_text("0 of 105 done (0 %)")).to_be_visible()
    process_bulk_jobs()
    expect(page.get_by_text("105 of 105 done (100 %)")).to_be_visible()
    expect(page.get_by_text("None so far.")).to_be_visible()
    assert Connection.objects.filter(status="disconnected").count() == 105
