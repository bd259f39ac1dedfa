"""The planted link, in a real browser: without the cookie nobody completes another's flow."""

from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, BrowserContext, Page

from connections_project.identity import sessions
from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration
from providers.models import Connection
from tests.conftest import PASSWORD
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request

START = """async ([token, slug]) => {
  const answer = await fetch("/api/v1/providers", {
    method: "POST",
    headers: {"Content-Type": "application/json", "Authorization": `Bearer ${token}`},
    body: JSON.stringify({provider_slug: slug}),
  });
  return (await answer.json()).authorization_url;
}"""
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(live_server: Any, bank: Bank, settings: LazySettings) -> str:
    """Return the service's address; the bank sends everybody straight back to its callback page."""
    # Browsers take Secure cookies over plain HTTP from this name alone.
    url: str = live_server.url.replace("127.0.0.1", "localhost")
    target = f"{url}/oauth/callback/bank"
    settings.OAUTH_CLIENTS["bank"] = asdict(
        ClientRegistration("our client", "client secret", (target,))
    )

    def consent(request: Request) -> Answer:
        query = urlencode({"code": "the-code", "state": request.query["state"]})
        return Answer(302, headers={"Location": f"{target}?{query}"})

    bank.server.on("GET", "/authorize", consent)
    return url


def begin(page: Page, address: str, user: User) -> str:
    """Start a flow from a page, as a front end would, and give the bank's address."""
    page.goto(f"{address}/sign-in")
    token = sessions.begin(user).access_token
    url: str = page.evaluate(START, [token, "bank"])
    return url


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def quiet_page(context: BrowserContext, complaints: list[str]) -> Page:
    """Open a page whose complaints, such as about its policy, are written down."""
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def test_a_planted_link_completes_nothing(
    browser: Browser, address: str, bank: Bank, owner: User, tmp_path: Path
) -> None:
    complaints: list[str] = []
    starting = quiet_page(browser.new_context(), complaints)
    planted = begin(starting, address, owner)

    victim = quiet_page(browser.new_context(), [])
    victim.goto(planted)
    assert heading(victim) == "Is it you who is connecting?"
    victim.screenshot(path=tmp_path / "question.png")
    assert bank.token_requests("authorization_code") == []
    assert not Connection.objects.exists()

    complaints.clear()
    starting.goto(planted)
    assert heading(starting) == "Bank is connected"
    starting.screenshot(path=tmp_path / "connected.png")
    assert Connection.objects.get().user == owner
    # The style sheet came, and nothing met the page's own policy.
    assert starting.evaluate("document.styleSheets[0].cssRules.length") > 0
    assert complaints == []


def test_signing_in_leads_back_to_the_callback(
    browser: Browser, address: str, bank: Bank, owner: User
) -> None:
    planted = begin(browser.new_context().new_page(), address, owner)
    page = browser.new_context().new_page()
    page.goto(planted)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill(owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/oauth/callback/bank*")
    assert heading(page) == "Bank is connected"
    assert Connection.objects.get().user == owner


def test_somebody_else_who_signs_in_ends_the_flow(
    browser: Browser, address: str, bank: Bank, owner: User, outsider: User
) -> None:
    planted = begin(browser.new_context().new_page(), address, owner)
    page = browser.new_context().new_page()
    page.goto(planted)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill(outsider.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/oauth/callback/bank*")
    assert heading(page) == "You are signed in as somebody else"
    assert bank.token_requests("authorization_code") == []
    assert not Connection.objects.exists()
