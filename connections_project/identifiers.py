"""Identifiers of rows."""

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """Make a time-ordered identifier (RFC 9562, section 5.7): inserts stay local in an index."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
