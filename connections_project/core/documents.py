"""Many rows as JSON documents, which PostgreSQL takes apart itself."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

# From so many rows on they are written as documents.
MANY = 20
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
_encoder = DjangoJSONEncoder()


def insert_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert any number of rows by one statement (SQLite splits it at its limit of parameters).

    A parameter for each column of each row costs more than all else that is done to write many
    (PostgreSQL, section 9.16: jsonb_populate_recordset takes what a row leaves out from a base).

    Args:
        rows: Values by the columns' names, in all rows the same; others have no default here.
    """
    database = connections[router.db_for_write(model)]
    if database.vendor != "postgresql" or len(rows) < MANY:
        model._default_manager.bulk_create([model(**row) for row in rows])
    else:
        _insert_documents(database, model, rows)


def _insert_documents(
    database: BaseDatabaseWrapper, model: type[models.Model], rows: Sequence[Mapping[str, Any]]
) -> None:
    first = rows[0]
    alike = {name: first[name] for name in first if all(row[name] == first[name] for row in rows)}
    differing = first.keys() - alike
    each = ({name: row[name] for name in differing} for row in rows)
    table = database.ops.quote_name(model._meta.db_table)
    columns = ", ".join(map(database.ops.quote_name, first))
    base = f"jsonb_populate_record(NULL::{table}, %s::jsonb -> 0)"
    with database.cursor() as cursor:
        # Names only; what is stored is a parameter.
        cursor.execute(
            f"INSERT INTO {table} ({columns})"  # noqa: S608
            f" SELECT {columns} FROM jsonb_populate_recordset({base}, %s::jsonb)",
            [as_document([alike]), as_document(each)],
        )


def as_document(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as the text that `jsonb_populate_recordset` reads, times to the microsecond.

    What stands inside a value is written as Django writes JSON.
    """
    plain = [_plain(row) for row in rows]
    return orjson.dumps(plain, default=_default, option=_OPTIONS).decode()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    # Django's encoder would cut times at milliseconds.
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _default(value: Any) -> Any:
    # As PostgreSQL reads a bytea (section 8.4.1).
    return f"\\x{value.hex()}" if isinstance(value, bytes) else _encoder.default(value)
