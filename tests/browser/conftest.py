"""A real browser: Debian's Chromium, driven by Playwright, which can't download its own here."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser_pages import address, watched

__all__ = ["address", "watched"]

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None and os.environ.get("CI") != "true":
        pytest.skip("There is no Chromium on the PATH.")
    # Playwright runs an event loop in this thread, where Django would see danger for its queries.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()
        # Inside of that loop Django opened a connection of its own, which nobody else would close.
        connections.close_all()
