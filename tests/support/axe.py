"""What axe-core finds on a page: WCAG 2.2 A and AA, and its best practices."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Without `preload` axe would fetch style sheets by itself, some from addresses that are not there.
OPTIONS = {"resultTypes": ["violations"], "preload": False}


def violations(page: Page) -> list[str]:
    """Return the rules that a page breaks, each with the first element that does."""
    # A link that still fades from one scheme to the other has the contrast of neither.
    page.evaluate("document.getAnimations().forEach(one => one.finish())")
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def overflows(page: Page) -> bool:
    """Whether a page has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
