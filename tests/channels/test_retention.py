"""Schedules that are over, and what came of them, end after PUBLISH_RETENTION_DAYS."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels.models import ChannelConnection, PublishEvent, Schedule
from channels.retention import forget_old_schedules
from tests.support.channel_rows import schedule_of

OLD = timedelta(days=31)


@pytest.fixture
def month(settings: LazySettings) -> None:
    settings.PUBLISH_RETENTION_DAYS = 30


def over(row: ChannelConnection, status: str = "failed", *, ago: timedelta = OLD) -> Schedule:
    then = timezone.now() - ago
    schedule = schedule_of(row, status=status, updated_at=then)
    PublishEvent.objects.create(
        schedule=schedule, channel_connection=row, outcome="failed", occurred_at=then
    )
    return schedule


@pytest.mark.parametrize("status", ["published", "failed", "cancelled"])
def test_old_ones_go_with_their_events(row: ChannelConnection, month: None, status: str) -> None:
    over(row, status)
    assert forget_old_schedules() == 1
    assert not Schedule.objects.exists()
    assert not PublishEvent.objects.exists()


def test_others_stay(row: ChannelConnection, month: None) -> None:
    kept = [over(row, "pending"), over(row, ago=timedelta(days=29))]
    assert forget_old_schedules() == 0
    assert set(Schedule.objects.all()) == set(kept)
    assert PublishEvent.objects.count() == 2


def test_posts_without_a_schedule_go_too(row: ChannelConnection, month: None) -> None:
    now = timezone.now()
    for then in (now - OLD, now):
        PublishEvent.objects.create(channel_connection=row, outcome="failed", occurred_at=then)
    forget_old_schedules()
    assert PublishEvent.objects.get().occurred_at == now


def test_by_default_all_are_kept(row: ChannelConnection) -> None:
    over(row, ago=timedelta(days=9000))
    assert forget_old_schedules() == 0
    assert (Schedule.objects.count(), PublishEvent.objects.count()) == (1, 1)
