"""docs/platforms.md is in step with the catalogue and the adapters."""

import io
from pathlib import Path

from django.core.management import call_command

from connections_project.platforms.catalog import catalog
from tests.platforms.recorded.cells import table
from tests.platforms.recorded.posts.cells import UNRECORDED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "platforms.md"


def test_the_page_has_the_table_as_it_is_now() -> None:
    printed = io.StringIO()
    call_command("platform_table", stdout=printed)
    assert printed.getvalue().strip() in PAGE.read_text(encoding="utf-8")
    assert printed.getvalue().count("\n| `") == len(catalog())


def test_the_page_says_what_is_recorded() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
    assert UNRECORDED not in table()
