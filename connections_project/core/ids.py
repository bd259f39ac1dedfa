"""Identifiers of rows."""

from datetime import datetime
from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """Return a new time-ordered id (RFC 9562, section 5.7): inserts stay local in an index."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def first_uuid7(at: datetime) -> UUID:
    """Return the least id of what is made from a time on, to the millisecond."""
    return UUID(int=max(int(at.timestamp() * 1000), 0) << 80)
