"""Channels and schedules put into the database directly, whatever their past."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from channels.models import LIVE, ChannelConnection, Schedule
from connections_project.identity.models import User
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import add_holder
from tests.support.provider_rows import TOKENS


def channel_of(
    user: User,
    *,
    channel: str = "chirp",
    status: str = "connected",
    tokens: TokenSet = TOKENS,
    account_id: str | None = "customer-7",
    **columns: Any,
) -> ChannelConnection:
    """Make a row in any status, with tokens and a hold on the grant where that status has them."""
    now = columns.pop("now", None) or timezone.now()
    row = ChannelConnection(user=user, channel=channel, created_at=now, updated_at=now, **columns)
    found = upstream(channel)
    if status in LIVE and found:
        row.take_grant(tokens, Identity(account_id, "Ada"), upstream=found, now=now)
    if status == "disconnected":
        row.platform_account_id, row.connected_at = account_id, now
        row.disconnected_at = columns.get("disconnected_at", now)
    row.status = status
    row.save()
    if status == "connected":
        add_holder(row.grant, app=row.app, connection_id=row.pk)
    return row


def schedule_of(connection: ChannelConnection, **columns: Any) -> Schedule:
    """Make a schedule for tomorrow, pending unless the columns say otherwise."""
    row = new_schedule(connection, **columns)
    row.save()
    return row


def new_schedule(connection: ChannelConnection, **columns: Any) -> Schedule:
    now = timezone.now()
    run_at = columns.pop("run_at", now + timedelta(days=1))
    given = {
        "content": "Hello",
        "due_at": run_at,
        "created_at": now,
        "updated_at": now,
        "user_id": connection.user_id,
        "channel": connection.channel,
        **columns,
    }
    return Schedule(channel_connection=connection, run_at=run_at, **given)
