"""Booleans, identifiers and times at the edges."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from connections_project.conf.values import parse_boolean
from connections_project.core.parsing import parse_uuid, render_datetime

CANONICAL = "018f3e0c-7b1a-7c3d-8e4f-0123456789ab"


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "Yes", "on"])
def test_these_are_true(text: str) -> None:
    assert parse_boolean(text) is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "NO", "off"])
def test_these_are_false(text: str) -> None:
    assert parse_boolean(text) is False


@pytest.mark.parametrize("text", ["", "2", "t", "null", " true", "true\n", "tru\u0435"])
def test_anything_else_is_no_boolean(text: str) -> None:
    with pytest.raises(ValueError, match="not a boolean"):
        parse_boolean(text)


@pytest.mark.parametrize("text", [CANONICAL, CANONICAL.upper()])
def test_an_identifier_is_taken_in_any_case(text: str) -> None:
    assert parse_uuid(text) == UUID(CANONICAL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not-an-id",
        CANONICAL.replace("-", ""),
        f"{{{CANONICAL}}}",
        f"urn:uuid:{CANONICAL}",
        f"{CANONICAL}\n",
        f"{CANONICAL}\0",
        CANONICAL[:-1] + "g",
        CANONICAL[:-1] + "\u0661",
        "018f3e0c7b1a-7c3d-8e4f-0123-456789ab",
    ],
)
def test_any_other_form_is_no_identifier(text: str) -> None:
    assert parse_uuid(text) is None


def test_a_time_is_utc_with_whole_seconds() -> None:
    east = timezone(timedelta(hours=2))
    assert render_datetime(datetime(2025, 12, 1, 12, 0, 0, 999_999, east)) == "2025-12-01T10:00:00Z"
    assert render_datetime(datetime(2025, 12, 1, 10, tzinfo=UTC)) == "2025-12-01T10:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        render_datetime(datetime(2025, 12, 1))  # noqa: DTZ001
