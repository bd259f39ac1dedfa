"""Many rows as one JSON document, which PostgreSQL takes apart itself."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder


def as_document(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as the text that `jsonb_populate_recordset` reads, times to the microsecond."""
    return json.dumps([_plain(row) for row in rows], cls=DjangoJSONEncoder)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_text(value) for name, value in row.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        # The encoder would cut it at milliseconds.
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
