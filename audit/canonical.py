"""How an event is written down to be digested: the same on SQLite, on PostgreSQL and in an export.

Text that is equal byte by byte, as RFC 8785 makes it: keys in order, no spaces, whole numbers
without a fraction. PostgreSQL keeps JSON as values, so that `1.0` or the order of keys come back in
its own way; here both end the same.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

# What a digest covers. A column that is added later must be left out of events that have its
# default, or the digests of all that were sealed before would no longer fit.
FIELDS = (
    "id", "occurred_at", "action", "outcome", "actor_type", "actor_id", "interface",
    "subject_type", "subject_id", "subject_owner_id", "reason", "trace_id", "client_address",
    "details",
)  # fmt: skip

_NESTING = frozenset({dict, list})
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def event_as_json(columns: dict[str, Any]) -> dict[str, Any]:
    """Return an event's columns as plain JSON values."""
    return {name: _json_value(columns[name]) for name in FIELDS}


def canonical(value: dict[str, Any]) -> bytes:
    """Return JSON values as their canonical text, in ASCII."""
    return _encoder.encode(value).encode("ascii")


def written(value: dict[str, Any]) -> bytes:
    """Return JSON values as they are handed out: canonical, but for DEL, which moves terminals."""
    return canonical(value).replace(b"\x7f", rb"\u007f")


def canonical_event(columns: dict[str, Any], details: str) -> bytes:
    """Return an event's canonical text, as `canonical(event_as_json(…))` does, only faster.

    orjson writes the same text of most events. The rest goes the long way: what is not printable
    ASCII, fractions, and whole numbers of more than 64 bits, which orjson reads as fractions.

    Args:
        columns: The event's columns but for its details, with its time as `precise` text.
        details: Its details as JSON, as the database has it.
    """
    try:
        read = orjson.loads(details)
        text = orjson.dumps({**columns, "details": read}, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        read = text = None
    if text and text.isascii() and b"\x7f" not in text and not _has_fraction(read):
        return text
    return canonical(event_as_json({**columns, "details": json.loads(details)}))


def precise(moment: datetime) -> str:
    """Return a time as UTC text with microseconds (RFC 3339), the precision of both databases."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _has_fraction(value: Any) -> bool:
    """Whether there is a fraction in a JSON value, as Python has it."""
    kind = type(value)
    if kind not in _NESTING:
        return kind is float
    parts = value.values() if kind is dict else value
    kinds = set(map(type, parts))
    # In most there is nothing to look into, and a call for each part would take twice as long.
    return float in kinds or (not kinds.isdisjoint(_NESTING) and any(map(_has_fraction, parts)))


def _json_value(value: Any) -> Any:
    # A log has millions of these: a match statement would take three times as long.
    kind = type(value)
    if kind is str or value is None:
        return value
    if kind is UUID:
        return str(value)
    if kind is dict:
        return {name: _json_value(one) for name, one in value.items()}
    if kind is list:
        return [_json_value(one) for one in value]
    if kind is float and value.is_integer():
        # By its decimal digits, as PostgreSQL reads them, not by the binary fraction's.
        return int(Decimal(repr(value)))
    return precise(value) if isinstance(value, datetime) else value
