"""Empties the tables after a transactional test, in a fraction of the time of Django's `flush`.

That truncates each table, which makes PostgreSQL write files for each test, and has permissions and
groups made anew. Here rows are deleted, in one transaction, but for what `migrate` has made.
"""

from functools import cache
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase

from audit.triggers import install
from tests.support.audit_triggers import drop_triggers

# What `post_migrate` fills.
KEPT = (
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)
_as_made: list[Any] = []


def empty_tables(_: TransactionTestCase) -> None:
    """Delete all rows that a test may have made."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The product has no way past the triggers.
        drop_triggers()
        for table in _tables():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        install(connection)
    if _kept() != _as_made:
        drop_triggers()
        call_command("flush", verbosity=0, interactive=False)
        remember_what_is_kept()


def remember_what_is_kept() -> None:
    """Note what `migrate` has made, before a test changes any of it."""
    _as_made[:] = _kept()


@cache
def _tables() -> list[str]:
    known = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [table for table in known if table not in KEPT]


def _kept() -> list[Any]:
    found: list[Any] = []
    with connection.cursor() as cursor:
        for table in KEPT:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} ORDER BY 1")
            found.append(cursor.fetchall())
    return found
