"""What is known of a session by what a new caller sees."""

from contextlib import closing

import psycopg
import pytest
from django.db import connection

from connections_project.core.postgresql import looks
from connections_project.core.postgresql.looks import Activity, activity_seen_by

AT_WORK = {1: 3.0, 2: 0.5, 3: None}


@pytest.mark.parametrize(
    ("session", "seconds", "expected"),
    [(1, 2, True), (1, 4, True), (2, 2, True), (3, 60, True), (4, 0, False)],
)
def test_a_session_is_known_by_its_id(session: int, seconds: float, expected: bool) -> None:
    seen = Activity(AT_WORK, has_real_ids=True)
    assert seen.may_include(session, seconds) is expected


@pytest.mark.parametrize(("at_work", "expected"), [(34, True), (36, False)])
@pytest.mark.parametrize("seconds", [-3600.0, 3.0, 3600.0], ids=["set back", "right", "ahead"])
def test_one_stands_still_by_the_callers_clock(
    seconds: float, at_work: float, expected: bool
) -> None:
    seen = Activity({1: seconds}, has_real_ids=True, limit=30.0)
    assert seen.may_include(1, at_work) is expected


def test_through_a_pooler_one_may_have_yet_to_begin() -> None:
    assert Activity({1: -3600.0}, has_real_ids=False).may_include(9, 4)


@pytest.mark.parametrize(("seconds", "expected"), [(2, True), (4, False)])
def test_through_a_pooler_by_its_age_alone(seconds: float, expected: bool) -> None:
    seen = Activity({1: 3.0, 2: 0.5}, has_real_ids=False)
    assert seen.may_include(9, seconds) is expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no sessions")
@pytest.mark.parametrize("age", ["'1 h'", "'-1 h'"], ids=["ahead", "set back"])
def test_a_server_whose_clock_was_set_goes_on_with_a_statement(
    monkeypatch: pytest.MonkeyPatch, age: str
) -> None:
    moved = looks._AT_WORK.replace("clock_timestamp()", f"(clock_timestamp() + interval {age})")
    monkeypatch.setattr(looks, "_AT_WORK", moved)
    connection.ensure_connection()
    session = connection.connection
    with closing(psycopg.connect(**session._parameters | {"autocommit": True})) as caller:
        caller.execute("SET statement_timeout = '30 s'")
        seen = activity_seen_by(caller)
        assert seen.has_real_ids
        assert seen.may_include(caller.info.backend_pid, 20)
        assert not seen.may_include(caller.info.backend_pid, 40)
