"""Words that the tests of schedules share."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

SCHEDULES = "/api/v1/schedules"


def tomorrow() -> datetime:
    return (timezone.now() + timedelta(days=1)).replace(microsecond=0)


def schedule(api: APIClient, connection_id: object, **body: Any) -> Any:
    """Try to schedule a post for tomorrow, unless the body says otherwise, and give the answer."""
    given = {
        "channel_connection_id": str(connection_id),
        "content": "Hello",
        "run_at": f"{tomorrow():%Y-%m-%dT%H:%M:%SZ}",
        **body,
    }
    return api.post(SCHEDULES, given, format="json")
