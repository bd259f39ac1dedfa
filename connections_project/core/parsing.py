"""How identifiers and times are written at every edge of the service."""

import re
from datetime import UTC, datetime, tzinfo
from uuid import UUID

# RFC 9562, section 4: 8-4-4-4-12, in any case. `UUID()` alone also takes braces and "urn:uuid:".
_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


# RFC 3339, section 5.6, where seconds and the zone may be left out.
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)


def parse_uuid(text: str) -> UUID | None:
    """Read an identifier in its canonical form (RFC 9562, section 4); None for anything else."""
    return UUID(text) if _CANONICAL.fullmatch(text) else None


def parse_datetime(text: str, *, zone: tzinfo = UTC) -> datetime:
    """Return the time of a text (RFC 3339), in UTC.

    Args:
        zone: That of a text without one.

    Raises:
        ValueError: It is none, or lies beyond what the calendar holds.
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError("not a time: use a form like 2025-12-01T10:00:00Z")
    read = datetime.fromisoformat(text.upper())
    try:
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def render_datetime(moment: datetime) -> str:
    """Return a time as UTC text with whole seconds, `2025-12-01T10:00:00Z` (RFC 3339).

    Raises:
        ValueError: The time is naive, so that it names no point in time.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone can't be written")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.isoformat(timespec='seconds')[:19]}Z"
