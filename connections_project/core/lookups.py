"""Lookups of our own."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup, UUIDField
from django.db.models.sql.compiler import SQLCompiler


def uuid_array(ids: Iterable[UUID]) -> str:
    """Return ids as PostgreSQL reads an array (section 8.15.2), at a third of the driver's cost."""
    return f"{{{','.join(map(str, ids))}}}"


@UUIDField.register_lookup
class AnyOf(Lookup):
    """`id__any_of=ids`: as `id__in`, for thousands of UUIDs.

    PostgreSQL gets them as one array: to make a parameter of each costs as much as what is done
    with them.
    """

    lookup_name = "any_of"
    prepare_rhs = False
    rhs: Collection[Any]

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        prepared = self.lhs.output_field.get_db_prep_value
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s::uuid[])", [*parameters, uuid_array(self.rhs)]
        values = [prepared(value, connection) for value in self.rhs]
        return f"{column} IN ({', '.join(['%s'] * len(values))})", [*parameters, *values]
