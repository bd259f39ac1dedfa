"""Many rows as one JSON document, which PostgreSQL takes apart itself."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def as_document(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as the text that `jsonb_populate_recordset` reads, times to the microsecond.

    What stands inside a value is written as Django writes JSON.
    """
    plain = [_plain(row) for row in rows]
    return orjson.dumps(plain, default=DjangoJSONEncoder().default, option=_OPTIONS).decode()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    # Django's encoder would cut times at milliseconds.
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
