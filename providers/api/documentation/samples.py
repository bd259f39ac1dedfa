"""Bodies as the source document shows them (Provider Connection API)."""

from connections_project.api.documentation import SAMPLE_ID, sample_page

ACCOUNT_ID = "0198c0de-0000-7000-8000-000000000001"
TRANSACTION_ID = "0198c0de-0000-7000-8000-000000000002"
ALIAS, NEW_ALIAS = "My Schwab Account", "Personal Brokerage"

CONNECTION = {
    "id": SAMPLE_ID,
    "provider_slug": "schwab",
    "alias": ALIAS,
    "status": "active",
    "is_connected": True,
    "needs_reauthentication": False,
    "connected_at": "2025-12-01T10:00:00Z",
    "last_sync_at": "2025-12-04T15:30:00Z",
    "created_at": "2025-12-01T10:00:00Z",
    "updated_at": "2025-12-04T15:30:00Z",
}
RENAMED = CONNECTION | {"alias": NEW_ALIAS, "updated_at": "2025-12-04T20:00:00Z"}
CONNECTED = CONNECTION | {
    "connected_at": "2025-12-04T20:00:00Z",
    "last_sync_at": None,
    "created_at": "2025-12-04T20:00:00Z",
    "updated_at": "2025-12-04T20:00:00Z",
}
LIST = {"connections": [CONNECTION], "total_count": 1, "active_count": 1}

CONNECT_REQUEST = {
    "provider_slug": "schwab",
    "alias": ALIAS,
    "redirect_uri": "https://myapp.com/oauth/callback",
}
STARTED = {
    "authorization_url": "https://api.schwabapi.com/v1/oauth/authorize?response_type=code"
    "&client_id=xxx&redirect_uri=https%3A%2F%2Fmyapp.com%2Foauth%2Fcallback&state=abc123def456",
    "state": "abc123def456",
    "expires_in": 600,
}
REFRESHED = {
    "refreshed": {
        "success": True,
        "message": "Token refreshed",
        "expires_at": "2025-12-04T20:30:00Z",
    },
    "still_valid": {"success": True, "message": "Token still valid", "expires_at": None},
}
DISCONNECTED = {"message": "Provider disconnected"}

SYNC_REQUEST = {"connection_id": SAMPLE_ID, "force": False}
SYNCED = {"created": 1, "updated": 0, "unchanged": 1, "errors": 0, "message": "2 accounts read"}


ACCOUNTS = sample_page(
    {
        "id": ACCOUNT_ID,
        "connection_id": SAMPLE_ID,
        "name": "Individual Brokerage",
        "type": "brokerage",
        "currency": "USD",
        "balance": "25430.18",
        "updated_at": "2025-12-04T15:30:00Z",
    }
)
TRANSACTIONS = sample_page(
    {
        "id": TRANSACTION_ID,
        "account_id": ACCOUNT_ID,
        "posted_at": "2025-12-03T00:00:00Z",
        "amount": "-42.50",
        "currency": "USD",
        "description": "Coffee Roasters",
    }
)
