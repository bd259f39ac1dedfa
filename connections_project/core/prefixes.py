"""Finding texts and ids by what they begin with, along an index, on both databases."""

import re
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Func, Lookup
from django.db.models.indexes import IndexExpression
from django.db.models.sql.compiler import SQLCompiler

# Sorts behind every text that goes on with another character.
_LAST = "\U0010ffff"
# As much as lists show of an id.
_ID = re.compile(r"[0-9a-fA-F]{8,32}")


class ByPrefix(Func):
    """An expression in an index by which `BeginsWith` finds, in any collation.

    On PostgreSQL section 11.10, "Operator Classes and Operator Families"; SQLite compares bytes.
    """

    template = "%(expressions)s"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        template = "%(expressions)s text_pattern_ops"
        return self.as_sql(compiler, connection, template=template, **context)


# The operator class stands outside of the parentheses of an index's expression.
IndexExpression.register_wrappers(*IndexExpression.wrapper_classes, ByPrefix)


@CharField.register_lookup
class BeginsWith(Lookup):
    """`email__begins_with="ada"`: as `startswith`, by an index that compares bytes.

    Django makes one for a column that is unique or has `db_index`. A LIKE would need its pattern
    when the statement is planned (PostgreSQL), or a column without case (SQLite).
    """

    lookup_name = "begins_with"
    prepare_rhs = False
    compared = "{}"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        least, below = ("~>=~", "~<~") if connection.vendor == "postgresql" else (">=", "<")
        column, text = self.compared.format(column), self.compared.format("%s")
        sql = f"({column} {least} {text} AND {column} {below} {text})"
        return sql, [*parameters, self.rhs, *parameters, f"{self.rhs}{_LAST}"]


@CharField.register_lookup
class BeginsWithAnyCase(BeginsWith):
    """`name__ibegins_with="ada"`, by an index of `ByPrefix(Lower("name"))`."""

    lookup_name = "ibegins_with"
    compared = "LOWER({})"


def uuids_beginning(text: str) -> tuple[UUID, UUID] | None:
    """Return the least and the greatest id that begin so; None for fewer than eight digits."""
    digits = text.replace("-", "")
    if not _ID.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
