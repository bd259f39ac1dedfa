"""Disconnects of channels by the API."""

from typing import Any

from rest_framework.test import APIClient

from channels.models import ChannelConnection

CONNECTIONS = "/api/v1/channels/connections"


def disconnect(api: APIClient, connection_id: object, query: str = "") -> Any:
    return api.delete(f"{CONNECTIONS}/{connection_id}{query}")


def assert_disconnected(row: ChannelConnection) -> None:
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert row.disconnected_at is not None
    assert (row.auth_state, row.has_refresh_token) == (None, False)
    assert (row.token_expires_at, row.grant_expires_at) == (None, None)
    assert row.cached_data is None
