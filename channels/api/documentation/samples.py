"""Bodies as the source document shows them (Flow: Disconnect Channel), and others like them."""

from connections_project.api.documentation import SAMPLE_ID

SCHEDULE_ID = "0198c0de-0000-7000-8000-000000000001"
EVENT_ID = "0198c0de-0000-7000-8000-000000000004"

CONNECTION = {
    "id": SAMPLE_ID,
    "channel": "mastodon",
    "account_id": "109302",
    "account_name": "Ada Lovelace",
    "status": "connected",
    "connected_at": "2025-11-20T09:30:00Z",
    "disconnected_at": None,
    "created_at": "2025-11-20T09:30:00Z",
    "updated_at": "2025-11-20T09:30:00Z",
}
CONNECT_REQUEST = {"channel": "mastodon"}
STARTED = {
    "authorization_url": "https://mastodon.social/oauth/authorize?response_type=code"
    "&client_id=xxx&redirect_uri=https%3A%2F%2Fmyapp.com%2Foauth%2Fcallback&state=abc123def456",
    "state": "abc123def456",
    "expires_in": 600,
}
DISCONNECTED = {
    "id": SAMPLE_ID,
    "status": "disconnected",
    "disconnected_at": "2025-11-25T15:00:00Z",
    "message": "Channel connection successfully disconnected",
}

SCHEDULE_REQUEST = {
    "channel_connection_id": SAMPLE_ID,
    "content": "We are open on Sunday.",
    "image_url": "https://example.com/door.jpg",
    "options": {"visibility": "unlisted"},
    "run_at": "2025-12-01T10:00:00Z",
}
SCHEDULE = {
    "id": SCHEDULE_ID,
    **SCHEDULE_REQUEST,
    "status": "pending",
    "failure_reason": None,
    "published_at": None,
    "cancelled_at": None,
    "created_at": "2025-11-25T15:00:00Z",
    "updated_at": "2025-11-25T15:00:00Z",
}
CANCELLED = SCHEDULE | {
    "status": "cancelled",
    "cancelled_at": "2025-11-25T16:00:00Z",
    "updated_at": "2025-11-25T16:00:00Z",
}
BULK_CANCELLED = {
    "cancelled": 2,
    "failed": 1,
    "errors": [{"schedule_id": SCHEDULE_ID, "error_code": "SCHEDULE_ALREADY_CANCELLED"}],
}
PUBLISHED = {
    "id": EVENT_ID,
    "channel_connection_id": SAMPLE_ID,
    "schedule_id": SCHEDULE_ID,
    "outcome": "published",
    "platform_post_id": "115603",
    "post_url": "https://mastodon.social/@ada/115603",
    "error_code": None,
    "occurred_at": "2025-12-01T10:00:02Z",
}
