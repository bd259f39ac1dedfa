"""The pages of the document, in a real browser: nothing foreign, nothing against the policy."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.openapi_document import make_document, operations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Watched:
    """A page, with whatever it complained of and asked for written down."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def watched(browser: Browser) -> Watched:
    return Watched(browser.new_page(viewport={"width": 1280, "height": 1800}))


def test_every_operation_is_listed_from_here_alone(
    watched: Watched, live_server: Any, tmp_path: Path
) -> None:
    page = watched.page
    # Before the page asks for it too: only the view itself lets one reader in at a time.
    described = [operation for *_, operation in operations(make_document())]
    page.goto(f"{live_server.url}/api/docs")
    expect(page.locator(".opblock")).to_have_count(len(described))
    for operation in described:
        expect(page.get_by_text(operation["summary"], exact=True)).to_be_visible()
    page.screenshot(path=tmp_path / "docs.png", full_page=True)
    assert {url.startswith(live_server.url) for url in watched.requests} == {True}
    assert watched.complaints == []


def test_a_call_can_be_tried_from_the_page(
    watched: Watched, live_server: Any, tmp_path: Path
) -> None:
    page = watched.page
    page.goto(f"{live_server.url}/api/docs")
    page.get_by_text("List platforms", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text("Charles Schwab")
    page.screenshot(path=tmp_path / "tried.png", full_page=True)
    assert watched.complaints == []
