"""Of the questions about a connection one stays, however many there are."""

from importlib import import_module

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.core.ids import uuid7

MIGRATION = import_module("connections_project.revocation.migrations.0012_one_question_each")
HOW = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@pytest.fixture
def before(transactional_db: None) -> Apps:
    """Return the models of before, whose questions have an empty table of their own."""
    found = MigrationLoader(connection).project_state([("revocation", "0011_post_circuits")]).apps
    model = found.get_model("revocation", "OpenQuestion")
    model._meta.db_table, model._meta.indexes = "questions_of_before", []
    with connection.schema_editor() as editor:
        editor.create_model(model)
    return found


def test_the_first_stays(before: Apps) -> None:
    model, now = before.get_model("revocation", "OpenQuestion"), timezone.now()
    connections = [uuid7(), uuid7()]
    rows = [model(connection_id=one, app="providers", created_at=now) for one in connections * 3]
    model.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as captured:
        MIGRATION.keep_the_first(before, None)
    assert {one.pk for one in model.objects.all()} == {one.pk for one in rows[:2]}
    deletion = next(one["sql"] for one in captured if one["sql"].startswith("DELETE"))
    with connection.cursor() as cursor:
        cursor.execute(f"{HOW[connection.vendor]} {deletion}")
        plan = str(cursor.fetchall())
        cursor.execute("DROP TABLE questions_of_before")
    # The others are not looked for once for each.
    assert "CORRELATED" not in plan
