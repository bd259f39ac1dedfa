"""What of an entry ends is spoken of in time (docs/catalog.md, "Keys of a platform")."""

import pytest
import time_machine

from connections_project.oauth.catalog import CatalogError
from connections_project.platforms.checks import nothing_ends_soon
from tests.conftest import UseCatalogue

pytestmark = pytest.mark.django_db

TABLE = """
[channels.linkedin]
ends_on = { "LinkedIn-Version" = 2027-07-15 }
"""


@pytest.fixture
def in_use(use_catalogue: UseCatalogue) -> None:
    use_catalogue(TABLE, "linkedin")


def warnings_on(day: str) -> list[str]:
    with time_machine.travel(f"{day}T12:00:00Z"):
        return [one.msg for one in nothing_ends_soon()]


def test_a_check_warns_sixty_days_before(in_use: None) -> None:
    assert warnings_on("2027-05-15") == []
    ends = "LinkedIn: LinkedIn-Version ends on 2027-07-15."
    assert warnings_on("2027-05-16") == [ends]
    assert warnings_on("2027-07-15") == [ends.replace("ends", "ended")]


def test_nobody_is_warned_of_what_is_not_in_use(use_catalogue: UseCatalogue) -> None:
    use_catalogue(TABLE)
    assert warnings_on("2028-01-01") == []


@pytest.mark.parametrize("value", ['"2027-07-15"', "2027-07-15T00:00:00Z", "20270715"])
def test_an_end_is_a_date(use_catalogue: UseCatalogue, value: str) -> None:
    with pytest.raises(CatalogError, match="ends_on: must be a date"):
        use_catalogue(f"[channels.linkedin]\nends_on.it = {value}")
