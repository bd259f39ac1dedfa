"""Each page opens without a complaint in a browser; `make screenshots` keeps what they show."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.seal import seal_recent
from connections_project.identity.models import User
from connections_project.metrics.tables import refresh
from tests.admin.conftest import operator, platforms, use_platforms
from tests.support.admin_data import arrange
from tests.support.bank import Bank, connect
from tests.support.browser_pages import Watched, keep_screenshot

__all__ = ["operator", "platforms", "use_platforms"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "connections": "/admin/providers/connection/",
    "dead-connections": "/admin/providers/connection/?status=expired",
    "channels": "/admin/channels/channelconnection/",
    "social-accounts": "/admin/social/socialaccount/",
    "schedules": "/admin/channels/schedule/",
    "revocations": "/admin/revocation/revocationjob/",
    "platforms": "/admin/platforms/suspension/",
    "suspend": "/admin/platforms/suspension/bank/suspend/",
    "bulk-jobs": "/admin/operations/bulkjob/",
    "audit": "/admin/audit/auditevent/",
    "users": "/admin/identity/user/",
    "teams": "/admin/identity/team/",
    "keys": "/admin/identity/apikey/",
    "make-key": "/admin/identity/apikey/add/",
}


def test_every_page_opens_without_a_complaint(
    watched: Watched,
    operator: User,
    platforms: Bank,
    api: APIClient,
    client: Client,
) -> None:
    row = connect(api)
    api.post(f"/api/v1/providers/{row.pk}/token-refreshes", {"force": True}, format="json")
    sound = arrange(operator)
    seal_recent()
    refresh()
    here = f"/admin/providers/connection/{row.pk}"
    page = watched.page
    page.goto("/admin/")
    keep_screenshot(page, "sign-in", full_page=False)
    watched.sign_in(operator)
    keep_screenshot(page, "dashboard", full_page=False)
    for name, path in PAGES.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        keep_screenshot(page, name)
    page.goto(f"/admin/providers/connection/{sound.pk}/change/")
    page.goto(f"{here}/force-disconnect/")
    keep_screenshot(page, "force-disconnect", full_page=False)
    page.get_by_label("Reason").fill("Breach at the bank, incident 4711")
    page.locator("input[type=submit].destructive").click()
    keep_screenshot(page, "connection", full_page=False)
    page.goto("/admin/providers/connection/")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("force_disconnect_selected")
    page.locator("button[name=index]").click()
    keep_screenshot(page, "force-disconnect-many")
    page.goto(f"{here}/receipt/")
    keep_screenshot(page, "receipt")
    page.goto(f"/admin/identity/user/{row.user_id}/change/")
    keep_screenshot(page, "user")
    page.goto(f"/admin/identity/user/{row.user_id}/deactivate/")
    keep_screenshot(page, "deactivate")
