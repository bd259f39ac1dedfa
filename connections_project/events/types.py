"""The types of events that the host application is told."""

from django.db import models


class EventType(models.TextChoices):
    """What happened; a value is stored and sent as it stands here, and never changed."""

    CONNECTED = "connection.connected"
    RECONNECTED = "connection.reconnected"
    NEEDS_ATTENTION = "connection.needs_attention"
    RECOVERED = "connection.recovered"
    DISCONNECTED = "connection.disconnected"
    DELETED = "connection.deleted"
    ERASED = "connection.erased"
    REVOCATION_SUCCEEDED = "revocation.succeeded"
    REVOCATION_ABANDONED = "revocation.abandoned"
    SCHEDULE_PUBLISHED = "schedule.published"
    SCHEDULE_FAILED = "schedule.failed"
    SCHEDULE_CANCELLED = "schedule.cancelled"
    PLATFORM_SUSPENDED = "platform.suspended"
    PLATFORM_RESUMED = "platform.resumed"
    TEST = "endpoint.test"


class UnknownTypeError(ValueError):
    """There is no such type of event."""


def parse_types(text: str) -> tuple[str, ...]:
    """Read types between commas, each once; none for an empty text.

    Raises:
        UnknownTypeError: One is unknown; the message names it.
    """
    found = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for one in found:
        if one not in EventType.values:
            raise UnknownTypeError(one)
    return found
