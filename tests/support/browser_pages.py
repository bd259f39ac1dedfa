"""Pages in a real browser, whose errors fail the test."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from connections_project.identity.models import User
from tests.conftest import PASSWORD


class Watched:
    """A page, with whatever it complained of and asked others for written down."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        # Who else may be asked, such as a platform.
        self.others: tuple[str, ...] = ()
        self.page = browser.new_page(viewport={"width": 1280, "height": 900}, base_url=address)
        self.complaints: list[str] = []
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self._failed(request))
        self.page.on("request", lambda request: self._asked(request.url))

    def _failed(self, request: Any) -> None:
        # Whoever leaves a page breaks off what it still loads.
        if "ERR_ABORTED" not in str(request.failure):
            self.complaints.append(request.url)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", *self.others)):
            self.complaints.append(f"asked {url}")

    def sign_in(self, user: User, code: str = "") -> None:
        self.page.goto("/admin/")
        self.page.get_by_label("E-mail").fill(user.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        if code:
            self.page.get_by_label("Code of your authenticator app").fill(code)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="What needs attention")).to_be_visible()


def keep_screenshot(page: Page, name: str, *, full_page: bool = True) -> None:
    """Keep what a page shows, for `make screenshots` alone: it takes longer than all else there."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)


@pytest.fixture
def address(live_server: Any) -> str:
    # Browsers take Secure cookies over plain HTTP from this name alone.
    return str(live_server.url.replace("127.0.0.1", "localhost"))


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    made = Watched(browser, address)
    yield made
    assert made.complaints == []
