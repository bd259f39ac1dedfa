"""Every page of the admin, light and dark: axe finds nothing, nothing has to be scrolled sideways,
and filters are few tabs away."""

import os
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize
from rest_framework.test import APIClient

from audit.seal import seal_recent
from connections_project.events.endpoints import create
from connections_project.identity.keys import create_key
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.metrics.tables import refresh
from connections_project.operations.bulk_jobs import store_selection
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.admin.conftest import operator, platforms, use_platforms
from tests.support.admin_data import arrange
from tests.support.admin_pages import job_of
from tests.support.axe import overflows, violations
from tests.support.bank import Bank, connect
from tests.support.browser_pages import Watched, keep_screenshot

__all__ = ["operator", "platforms", "use_platforms"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}


def addresses(operator: User) -> Iterator[str]:
    """Give the addresses of the admin's pages: each list, a page of each kind of row, questions."""
    yield "/admin/"
    for model in admin.site._registry:
        listed = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield listed
        row = model._default_manager.order_by("pk").first()
        if row is not None and model is not Suspension:
            yield f"{listed}{row.pk}/change/"
    live = Connection.objects.filter(status="active").first()
    job = RevocationJob.objects.filter(state="pending").first()
    person = User.objects.filter(is_staff=False).first()
    assert live
    assert job
    assert person
    yield f"/admin/providers/connection/{live.pk}/force-disconnect/"
    yield f"/admin/revocation/revocationjob/{job.pk}/retry/"
    yield f"/admin/identity/user/{person.pk}/deactivate/"
    yield "/admin/platforms/suspension/bank/suspend/"
    yield "/admin/platforms/suspension/monzo/resume/"
    yield "/admin/identity/apikey/add/"
    yield "/admin/events/endpoint/add/"
    yield "/admin/time-zone/"
    yield "/admin/providers/connection/?status=expired"


# Some forty pages, each judged twice.
@pytest.mark.timeout(600)
def test_every_page_reads_well(
    watched: Watched, operator: User, platforms: Bank, api: APIClient
) -> None:
    # Some pages are for those alone who have every permission.
    User.objects.filter(pk=operator.pk).update(is_superuser=True)
    row = connect(api)
    arrange(operator)
    origin = command_origin(operator)
    # Values without a blank have to wrap.
    create(url=f"https://hooks.example.com/{'a' * 300}", origin=origin)
    store_selection("providers", Connection.objects.all(), origin=origin)
    create_key(team=row.user.own_team, name="x" * 100, scopes=["social:read"], expires_at=None,
               origin=origin, created_by=operator)  # fmt: skip
    job_of(Connection.objects.filter(status="failed").first())
    seal_recent()
    refresh()
    page = watched.page
    page.goto("/admin/")
    found = look(page, "sign-in")
    watched.sign_in(operator)
    for address in addresses(operator):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        found += look(page, address)
        if page.locator("#changelist-filter").count() and not filters_are_near(page, address):
            found.append(f"{address}: the filters are more than ten tabs away")
    assert not found, "\n".join(found)


def look(page: Page, address: str) -> list[str]:
    found = []
    name = address.strip("/").replace("/", "-")[:60] or "dashboard"
    for screen, scheme in ((DESK, "light"), (PHONE, "dark"), (DESK, "dark"), (PHONE, "light")):
        is_checked = (screen is DESK) == (scheme == "light")
        if not is_checked and "SCREENSHOTS" not in os.environ:
            continue
        page.set_viewport_size(screen)
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        width = screen["width"]
        keep_screenshot(page, f"admin-{name}-{width}-{scheme}")
        if is_checked:
            found += [f"{address} {width} {scheme} {one}" for one in violations(page)]
        if overflows(page):
            found.append(f"{address} {width} overflows by {page.evaluate(WIDEST)}")
    return found


def filters_are_near(page: Page, address: str) -> bool:
    """Whether ten tabs lead to the filters, with the links that skip what is before."""
    page.goto(address)
    for _ in range(10):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.evaluate("one => !!one.closest('#changelist-filter')"):
            return True
        if focused.inner_text() in {"Skip to main content", "Go to the filters"}:
            page.keyboard.press("Enter")
    return False


WIDEST = """[...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.tagName + "." + one.className + "#" + one.id).slice(0, 4).join(" ")"""
