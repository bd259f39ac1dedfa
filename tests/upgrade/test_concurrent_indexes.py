"""Indexes are added and removed while others write, again after a break, and back again."""

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from connections_project.core.postgresql.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from connections_project.platforms.models import Suspension

NAME = "suspension_test_reason"
INDEX = models.Index(fields=["reason"], name=NAME)
pytestmark = pytest.mark.django_db(transaction=True)


def names() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, Suspension._meta.db_table))


def migrate(operation: Operation, *, back: bool = False) -> None:
    before = ProjectState.from_apps(apps)
    if isinstance(operation, RemoveIndexConcurrently):
        AddIndexConcurrently("suspension", INDEX).state_forwards("platforms", before)
    after = before.clone()
    operation.state_forwards("platforms", after)
    with connection.schema_editor(atomic=False) as editor:
        if back:
            operation.database_backwards("platforms", editor, after, before)
        else:
            operation.database_forwards("platforms", editor, before, after)


def test_they_come_and_go() -> None:
    add, remove = (
        AddIndexConcurrently("suspension", INDEX),
        RemoveIndexConcurrently("suspension", NAME),
    )
    migrate(add)
    assert NAME in names()
    # As after a build that was broken off, which leaves an index of that name.
    migrate(add)
    migrate(remove)
    assert NAME not in names()
    # As where the migration broke off before it was recorded.
    migrate(remove)
    migrate(remove, back=True)
    assert NAME in names()
    migrate(add, back=True)
    assert NAME not in names()


def test_no_migration_that_adds_them_is_one_transaction() -> None:
    loader = MigrationLoader(connection)
    concurrent = [
        migration
        for migration in loader.disk_migrations.values()
        if any(isinstance(one, AddIndexConcurrently) for one in migration.operations)
    ]
    assert concurrent
    assert not [str(migration) for migration in concurrent if migration.atomic]
