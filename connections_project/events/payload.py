"""The body of an event: the same at every endpoint, in each try, and in the feed."""

import json
from typing import Any

from connections_project.core.parsing import render_datetime
from connections_project.events.models import OutgoingEvent


def payload(event: OutgoingEvent) -> dict[str, Any]:
    """Return the body, as JSON."""
    data = json.loads(event.data)
    if event.connection_id is not None:
        data["sequence"] = event.sequence
    return {"type": event.type, "timestamp": render_datetime(event.occurred_at), "data": data}


def body(event: OutgoingEvent) -> bytes:
    """Return the bytes that are signed and sent."""
    return json.dumps(payload(event), separators=(",", ":"), ensure_ascii=False).encode()
