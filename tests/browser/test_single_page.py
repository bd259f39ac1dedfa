"""A front end of another origin, in a real browser, with the token of an external issuer."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, expect

from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.issuer import TestIssuer
from tests.support.platform_server import Answer, PlatformServer, Request

PAGE = Path(__file__).parent.parent / "support" / "single_page.html"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def front_end() -> Iterator[str]:
    """The address of a single-page application at an origin of its own."""
    page = Answer(body=PAGE.read_bytes(), headers={"Content-Type": "text/html"})
    with PlatformServer() as server:
        server.on("GET", "/app", page).on("GET", "/", Answer(body=b""))
        yield server.url


@pytest.fixture
def issuer(settings: LazySettings) -> Iterator[TestIssuer]:
    with PlatformServer() as server:
        made = TestIssuer(server)
        settings.IDENTITY = made.settings()
        yield made


@pytest.fixture
def service(live_server: Any, bank: Bank, settings: LazySettings, front_end: str) -> str:
    """The service's address; the bank sends everybody straight back to the front end."""
    target = f"{front_end}/app"
    settings.OAUTH_CLIENTS["bank"] = asdict(
        ClientRegistration("our client", "client secret", (target,))
    )

    def consent(request: Request) -> Answer:
        query = urlencode({"code": "the-code", "state": request.query["state"]})
        return Answer(302, headers={"Location": f"{target}?{query}"})

    bank.server.on("GET", "/authorize", consent)
    url: str = live_server.url
    return url


@pytest.fixture
def page(browser: Browser, front_end: str, service: str, issuer: TestIssuer) -> Page:
    """The front end's page of somebody who has signed in at the issuer."""
    page = browser.new_page()
    page.goto(front_end)
    host = json.dumps({"service": service, "token": issuer.token()})
    page.evaluate("host => sessionStorage.setItem('host', host)", host)
    return page


def test_a_front_end_connects_and_disconnects(
    page: Page, front_end: str, settings: LazySettings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [front_end]
    said, listed = page.locator("#said"), page.locator("#connections li")
    page.goto(f"{front_end}/app")
    expect(said).to_have_text("signed in as kim")
    page.click("#connect")
    expect(said).to_have_text("signed in as kim, connected: 201")
    expect(listed).to_have_text(["bank: active"])
    page.click("#disconnect")
    expect(said).to_have_text("disconnected: 204")
    expect(listed).to_have_text(["bank: disconnected"])
    headers = json.loads(page.evaluate("sessionStorage.getItem('headers')"))
    assert headers["trace"]
    assert headers["left"].isdigit()
    assert Connection.objects.get().user == User.objects.get(subject="kim")


def test_other_origins_read_nothing(page: Page, front_end: str, settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    with page.expect_event("pageerror") as refused:
        page.goto(f"{front_end}/app")
    assert "Failed to fetch" in str(refused.value)
    assert not User.objects.exists()
