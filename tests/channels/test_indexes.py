"""Whatever is looked for is found by an index, however many rows there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from channels.claims import due, late, left_behind
from channels.models import OVER, ChannelConnection, PublishEvent, Schedule
from channels.selectors import own_connections, own_publish_events, own_schedules
from connections_project.identity.models import User
from tests.support.query_plans import plan_with

Look = Callable[[ChannelConnection, User], QuerySet[Any]]
LOOKS: dict[str, Look] = {
    "schedule_active": lambda row, _: row.schedules.active().order_by("id")[:100],
    "schedule_list": lambda _, owner: own_schedules(owner)[:20],
    "schedule_status": lambda _, owner: own_schedules(owner, status="failed")[:20],
    "schedule_connection": lambda row, _: row.schedules.order_by("-created_at", "-id")[:20],
    "schedule_due_by_channel": lambda row, _: due(row.channel, timezone.now()),
    "schedule_tried": lambda row, _: late(row.channel, timezone.now())[:8],
    "schedule_over": lambda *_: Schedule.objects.filter(
        status__in=OVER, updated_at__lt=timezone.now()
    ),
    "publish_event_alone": lambda *_: PublishEvent.objects.filter(
        schedule=None, occurred_at__lt=timezone.now()
    ).order_by("occurred_at"),
    "schedule_leased": lambda *_: left_behind(),
    "publish_event_list": lambda row, owner: own_publish_events(row.pk, user=owner)[:20],
    "channel_connection_list": lambda _, owner: own_connections(owner)[:20],
    "channel_account_connected_once": lambda row, owner: ChannelConnection.objects.filter(
        user=owner,
        channel=row.channel,
        platform_account_id=row.platform_account_id,
        status__in=["connected", "expired", "error"],
    ),
    "channel_refresh_token_prefix": lambda *_: ChannelConnection.objects.filter(
        refresh_token_prefix="1//0abcdefghijkl"
    ),
    "channel_refresh_token_hash": lambda *_: ChannelConnection.objects.filter(
        refresh_token_hash="a hash"
    ),
    "channel_account_prefix": lambda *_: ChannelConnection.objects.filter(
        platform_account_id__begins_with="customer"
    ),
    "channel_name_prefix": lambda *_: ChannelConnection.objects.filter(
        platform_account_name__ibegins_with="ADA"
    ),
    "schedule_by_status": lambda *_: Schedule.objects.filter(status="failed").order_by("-id")[:50],
    "publish_event_by_outcome": lambda *_: PublishEvent.objects.filter(outcome="failed").order_by(
        "-id"
    )[:50],
}


# SQLite doesn't see that IN with parameters implies IN with the same constants
# (https://www.sqlite.org/partialindex.html, section 3).
WITH_IN = {"schedule_active", "publish_event_alone", "channel_account_connected_once"}


@pytest.mark.parametrize("index", LOOKS)
def test_it_is_found_by_its_index(row: ChannelConnection, owner: User, index: str) -> None:
    if connection.vendor == "sqlite" and index in WITH_IN:
        pytest.skip("SQLite takes another index")
    assert index in plan_with(index, LOOKS[index](row, owner))
