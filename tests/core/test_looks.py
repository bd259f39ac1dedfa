"""What is known of a session by what a new caller sees."""

import pytest

from connections_project.core.postgresql.looks import Activity

AT_WORK = {1: 3.0, 2: 0.5, 3: None}


@pytest.mark.parametrize(
    ("session", "seconds", "expected"),
    [(1, 2, True), (1, 4, False), (2, 2, False), (3, 60, True), (4, 0, False)],
)
def test_a_session_is_known_by_its_id(session: int, seconds: float, expected: bool) -> None:
    seen = Activity(AT_WORK, has_real_ids=True)
    assert seen.may_include(session, seconds) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(2, True), (4, False)])
def test_through_a_pooler_by_its_age_alone(seconds: float, expected: bool) -> None:
    seen = Activity({1: 3.0, 2: 0.5}, has_real_ids=False)
    assert seen.may_include(9, seconds) is expected
