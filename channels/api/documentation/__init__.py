"""What the OpenAPI document says of this app's endpoints: a decorator for each."""

from channels.api.documentation.connections import (
    CALLBACK,
    CONNECT,
    DISCONNECT,
    GET,
    LIST,
    PUBLISH_EVENTS,
    REFRESH,
)
from channels.api.documentation.schedules import (
    BULK_CANCEL,
    CANCEL,
    GET_SCHEDULE,
    LIST_SCHEDULES,
    SCHEDULE,
)

__all__ = [
    "BULK_CANCEL",
    "CALLBACK",
    "CANCEL",
    "CONNECT",
    "DISCONNECT",
    "GET",
    "GET_SCHEDULE",
    "LIST",
    "LIST_SCHEDULES",
    "PUBLISH_EVENTS",
    "REFRESH",
    "SCHEDULE",
]
