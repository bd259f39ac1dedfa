"""A person with a phone connects, understands, disconnects and keeps a receipt."""

from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import ClientRegistration
from connections_project.pages import sessions
from connections_project.webhooks.models import DataDeletion
from tests.browser.test_admin import tab_to
from tests.conftest import PASSWORD, UseCatalogue
from tests.pages.test_disconnect import CHIRP
from tests.support.axe import overflows, violations
from tests.support.bank import Bank
from tests.support.browser_pages import Watched, keep_screenshot
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
each_screen = pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
Look = Any


@pytest.fixture
def service(
    bank: Bank,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    address: str,
    watched: Watched,
) -> Bank:
    """The bank, whose consent page sends everybody straight back to the service; and Chirp."""
    use_catalogue(bank.catalogue() + CHIRP, "bank", "chirp")
    settings.PUBLIC_URL = address
    target = f"{address}/oauth/callback/bank"
    registration = ClientRegistration("our client", "client secret", (target,))
    settings.OAUTH_CLIENTS["bank"] = asdict(registration)

    def consent(request: Request) -> Answer:
        query = urlencode({"code": "the-code", "state": request.query["state"]})
        return Answer(302, headers={"Location": f"{target}?{query}"})

    bank.server.on("GET", "/authorize", consent)
    watched.others = (bank.server.url,)
    return bank


@pytest.fixture
def look() -> Look:
    """Return a function that looks at a page as it stands, in light and in dark."""

    def look(page: Page, name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            width = page.viewport_size["width"] if page.viewport_size else 0
            keep_screenshot(page, f"person-{name}-{width}-{scheme}")
            assert violations(page) == [], (name, width, scheme)
            assert not overflows(page), (name, width)

    return look


@each_screen
def test_connect_understand_disconnect_keep(
    screen: Any, watched: Watched, service: Bank, owner: User, look: Look
) -> None:
    page = watched.page
    page.set_viewport_size(screen)
    page.goto("/connections")
    look(page, "sign-in")
    page.get_by_label("E-mail address").fill(owner.email or "")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Nothing is connected.")).to_be_visible()
    look(page, "empty")
    page.get_by_role("button", name="Connect Bank").click()
    expect(page.get_by_role("status")).to_have_text("Bank is connected.")
    look(page, "connected")
    page.get_by_role("link", name="Disconnect Bank Ada").click()
    expect(page.get_by_text("We delete the access keys at once")).to_be_visible()
    expect(page.get_by_text("We ask Bank to end the access")).to_be_visible()
    look(page, "disconnect")
    page.get_by_role("button", name="Yes, disconnect").click()
    expect(page.get_by_role("heading", name="Bank is disconnected")).to_be_visible()
    expect(page.get_by_text("Bank has confirmed that the access is over.")).to_be_visible()
    look(page, "disconnected")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    receipt = Path(download.value.path()).read_text(encoding="ascii")
    claims = jwt.decode(receipt, options={"verify_signature": False})
    assert claims["revocation"]["state"] == "revoked"
    assert download.value.suggested_filename.startswith("receipt-")
    assert len(service.revoked) == 2
    page.get_by_role("link", name="Back to your connections").click()
    look(page, "over")


def test_by_keyboard_alone(watched: Watched, service: Bank, owner: User) -> None:
    page = watched.page
    page.set_viewport_size(PHONE)
    page.goto("/connections")
    expect(page.locator("#id_username")).to_be_focused()
    page.keyboard.type(owner.email or "")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/connections")
    tab_to(page, "form[action$=connect]:has([value=bank]) button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Bank is connected.")
    tab_to(page, "a[href$=disconnect]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/disconnect")
    tab_to(page, "button.danger")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bank is disconnected")).to_be_visible()
    tab_to(page, "a[download]")
    with page.expect_download():
        page.keyboard.press("Enter")
    assert len(service.revoked) == 2


@each_screen
def test_other_pages_read_well(
    screen: Any,
    watched: Watched,
    service: Bank,
    owner: User,
    outsider: User,
    look: Look,
) -> None:
    page = watched.page
    page.set_viewport_size(screen)
    dead = connection_of(owner, status="expired")
    dead.need_attention("grant_expired", now=timezone.now())
    dead.platform_account_name = "A very long account name " * 4 + "withoutanyspaceatall" * 5
    dead.save()
    channel = channel_of(owner)
    schedule_of(channel, content="Happy new year " * 20)
    connection_of(owner, status="disconnected", account_id="2")
    link = sessions.begin(
        user=owner,
        made_by=owner,
        platforms=(),
        return_url="https://app.example.com/",
        origin=command_origin(None),
    )
    page.goto(link.url)
    expect(page.get_by_text("The access has run out.")).to_be_visible()
    expect(page.get_by_role("button", name="Reconnect Bank")).to_be_visible()
    look(page, "attention")
    other = sessions.begin(
        user=outsider, made_by=outsider, platforms=(), return_url="", origin=command_origin(None)
    )
    page.goto(other.url)
    expect(page.get_by_role("button", name="Go on as outsider@example.com")).to_be_visible()
    look(page, "open")
    page.get_by_role("button", name="Go on as").click()
    expect(page.get_by_text("What you connect here belongs to outsider")).to_be_visible()
    look(page, "opened")
    # The owner's own link is good in this browser as long as it lasts.
    page.goto(link.url)
    page.get_by_role("button", name="Go on as").click()
    page.goto(f"/connections/{channel.pk}/disconnect")
    look(page, "scheduled")
    page.get_by_role("button", name="Yes, disconnect").click()
    expect(page.get_by_role("heading", name="Cancel what is waiting too?")).to_be_visible()
    look(page, "second-yes")
    page.get_by_role("button", name="Leave").click()
    look(page, "left")
    page.goto("/oauth/callback/bank")
    look(page, "callback")
    deletion = DataDeletion.objects.create(
        confirmation_code="code", erased_at=timezone.now(), connections=2
    )
    page.goto(f"/data-deletion/{deletion.pk}")
    look(page, "data-deletion")
    page.context.clear_cookies()
    page.goto(link.url)
    expect(page.get_by_role("heading", name="This link is no longer good")).to_be_visible()
    look(page, "ended")
    # The statuses of refusals are written to the console.
    watched.complaints = [one for one in watched.complaints if "the server responded" not in one]
