"""Names whose letters bear piles of marks are not drawn over what stands beside them."""

import pytest
from playwright.sync_api import Locator, Page

from connections_project.identity.models import User
from providers.models import Connection
from tests.admin.conftest import operator, platforms, use_platforms
from tests.browser.test_person_pages import service
from tests.conftest import PASSWORD
from tests.support.bank import Bank
from tests.support.browser_pages import Watched, keep_screenshot
from tests.support.provider_rows import connection_of

__all__ = ["operator", "platforms", "service", "use_platforms"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PILED = "".join(letter + 40 * "\u0301" + 40 * "\u0323" for letter in "Ada")
# A family by joiners, marks of Vietnamese, Thai and Arabic.
WHOLE = "\U0001f468\u200d\U0001f469\u200d\U0001f467 Ế\u0323 ที่ปู่ لَّا"
TAKE_MARKS_AWAY = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    texts.currentNode.data = texts.currentNode.data.replace(/[\\u0300-\\u036f]/g, "");
}"""
SHOW_ALL = "() => document.querySelectorAll('*').forEach((one) => one.style.overflow = 'visible')"


def row_of(owner: User, name: str) -> Connection:
    """Make a connection of an account with a name, between two others."""
    rows = [connection_of(owner, account_id=account) for account in "123"]
    Connection.objects.filter(pk=rows[1].pk).update(platform_account_name=name)
    return rows[1]


def drawn(elements: Locator) -> list[bytes]:
    return [one.screenshot() for one in elements.all()]


def stays(page: Page, elements: str, script: str) -> bool:
    """Whether elements look the same after a script has changed the page."""
    found = page.locator(elements)
    assert found.count()
    before = drawn(found)
    page.evaluate(script)
    return drawn(found) == before


@pytest.fixture
def person(watched: Watched, service: Bank, owner: User) -> Page:
    page = watched.page
    page.goto("/connections")
    page.get_by_label("E-mail address").fill(owner.email or "")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Nothing is connected.").wait_for()
    return page


def test_other_cards_are_seen(person: Page, owner: User) -> None:
    row_of(owner, PILED)
    person.goto("/connections")
    keep_screenshot(person, "piled-cards")
    assert stays(person, ".card:not(:nth-child(2)), .card .buttons, h1, h2", TAKE_MARKS_AWAY)


def test_what_a_page_asks_is_seen(person: Page, owner: User) -> None:
    row = row_of(owner, PILED)
    person.goto(f"/connections/{row.pk}/disconnect")
    keep_screenshot(person, "piled-disconnect")
    assert stays(person, "h1, h2, p:not(.account), button", TAKE_MARKS_AWAY)


def test_names_are_whole(person: Page, owner: User) -> None:
    row = row_of(owner, WHOLE)
    person.goto("/connections")
    keep_screenshot(person, "whole-cards")
    assert stays(person, ".card", SHOW_ALL)
    person.goto(f"/connections/{row.pk}/disconnect")
    assert stays(person, "main", SHOW_ALL)


def test_operators_see_other_rows(
    watched: Watched, operator: User, platforms: Bank, owner: User
) -> None:
    row = row_of(owner, PILED)
    watched.sign_in(operator)
    page = watched.page
    page.goto("/admin/providers/connection/")
    keep_screenshot(page, "piled-rows")
    assert stays(page, "#result_list tbody tr:not(:nth-child(2))", TAKE_MARKS_AWAY)
    page.goto(f"/admin/providers/connection/{row.pk}/change/")
    keep_screenshot(page, "piled-row")
    assert stays(page, ".form-row:not(.field-platform_account_name)", TAKE_MARKS_AWAY)
