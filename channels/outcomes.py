"""What becomes of a claimed schedule: published, failed, or put off.

Each is one commit with its publish event and its audit event. Nothing is sent again unless it was
surely not accepted, or the platform recognizes a repeated post by its key.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from audit.events import Action, Outcome
from audit.record import Origin
from channels.claims import lock_if_owned
from channels.models import (
    ChannelConnection,
    PublishEvent,
    PublishOutcome,
    Schedule,
    ScheduleStatus,
    Status,
)
from channels.records import record_about_schedule
from channels.selectors import locked_connections
from connections_project.core import clock
from connections_project.core.jobs.backoff import backoff
from connections_project.platforms.adapter import adapter_at
from connections_project.platforms.publishing import Published

logger = logging.getLogger(__name__)

OUTCOME_UNKNOWN = "outcome_unknown"
TOO_LATE = "too_late"
CONNECTION_INACTIVE = "connection_inactive"

LONGEST_BACKOFF = timedelta(minutes=15)
# A repeated post must arrive well before the platform forgets the key of the first.
KEY_MARGIN = timedelta(minutes=1)


def published(schedule: Schedule, answer: Published, *, origin: Origin) -> str:
    """Record that the platform has the post, whatever has become of connection and schedule.

    An answer that comes after the lease ran out is better than what was supposed meanwhile.
    """
    now = clock.now()
    with transaction.atomic():
        connection = _lock_connection(schedule)
        row = Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)
        is_sent_again = row.status == ScheduleStatus.PUBLISHING and row.lease != schedule.lease
        if row.status == ScheduleStatus.PUBLISHED or is_sent_again:
            # The platform recognizes it by its key: sent again, it is the same post.
            return str(row.status)
        if row.status != ScheduleStatus.CANCELLED:
            _end(row, ScheduleStatus.PUBLISHED, now=now, published_at=now, failure_reason=None)
        PublishEvent.objects.create(
            schedule=row,
            channel_connection_id=row.channel_connection_id,
            outcome=PublishOutcome.PUBLISHED,
            platform_post_id=answer.post_id,
            post_url=answer.url,
            occurred_at=now,
        )
        record_about_schedule(
            schedule, Action.SCHEDULE_PUBLISHED, origin=origin, post_id=answer.post_id
        )
        _forget_texts(connection)
    return str(row.status)


def failed(schedule: Schedule, error: str, *, origin: Origin) -> str | None:
    """End a claimed schedule for good.

    Args:
        schedule: As it was claimed. If an earlier try of it may be out there, this failure says
            nothing of that one.
        error: What happened, as a word for programs.

    Returns:
        The status; None where the claim is lost.
    """
    reason = OUTCOME_UNKNOWN if schedule.unsure_since else error
    with transaction.atomic():
        connection = _lock_connection(schedule)
        row = lock_if_owned(schedule)
        if row is None:
            return None
        _fail(row, schedule, reason, error=error, origin=origin)
        _forget_texts(connection)
    return ScheduleStatus.FAILED


def _lock_connection(schedule: Schedule) -> ChannelConnection:
    """Lock the connection before its schedule, as a disconnect does, so that what is told of both
    is told in order."""
    return locked_connections().get(pk=schedule.channel_connection_id)


def _forget_texts(connection: ChannelConnection) -> None:
    """Erase what a post that was being sent while its person was forgotten has left."""
    if connection.status == Status.DISCONNECTED and connection.user.is_forgotten:
        ChannelConnection.forget_texts([connection])


def put_off(
    schedule: Schedule,
    error: str,
    *,
    origin: Origin,
    may_be_out: bool = False,
    retry_after: int | None = None,
) -> str | None:
    """Put a claimed schedule off, if that may still be done.

    Args:
        schedule: As it was claimed.
        error: What happened, as a word for programs.
        may_be_out: Whether the platform may have accepted it nevertheless.
        retry_after: Seconds that the platform asks to be left alone.

    Returns:
        The status; None where the claim is lost.
    """
    due_at = clock.now() + _wait(schedule.attempts, retry_after)
    with transaction.atomic():
        connection = _lock_connection(schedule)
        row = lock_if_owned(schedule)
        if row is None:
            return None
        if not may_be_out:
            row.unsure_since = schedule.unsure_since
        row.due_at = due_at
        if reason := _reason_to_end(row, connection, error):
            _fail(row, schedule, reason, error=error, origin=origin)
            _forget_texts(connection)
        else:
            _wait_for(row, schedule, error=error, origin=origin)
    return str(row.status)


def is_too_late_to_repeat(schedule: Schedule) -> bool:
    """Whether a claimed schedule may be out there already, and the platform has forgotten its key.

    It was due in time, and comes late after a suspension, or where no worker ran for a while.
    """
    since = schedule.unsure_since
    slug = schedule.channel_connection.channel
    return since is not None and clock.now() > since + _key_life(slug)


def is_too_late_to_try_again(schedule: Schedule) -> bool:
    """Whether a claimed schedule was claimed before, and is tried for no longer.

    It was due in time; or each of its publishers has died before anything could be recorded.
    """
    return schedule.attempts > 1 and clock.now() >= _given_up_at(schedule)


def _given_up_at(schedule: Schedule) -> datetime:
    return schedule.run_at + timedelta(seconds=settings.PUBLISH_GIVE_UP_SECONDS)


def _reason_to_end(row: Schedule, connection: ChannelConnection, error: str) -> str | None:
    """Return why a schedule that would be due again is over; None if it is not."""
    since = row.unsure_since
    if since and row.due_at > since + _key_life(connection.channel):
        return OUTCOME_UNKNOWN
    if connection.status == Status.DISCONNECTED:
        return OUTCOME_UNKNOWN if since else CONNECTION_INACTIVE
    if row.due_at >= _given_up_at(row):
        return OUTCOME_UNKNOWN if since else error
    return None


def released(schedule: Schedule, *, origin: Origin, wait: timedelta | None = None) -> str | None:
    """Put a claimed schedule back as it was: nothing of it was sent.

    On a connection that is over it fails instead: nothing may become active there again.

    Args:
        schedule: As it was claimed.
        wait: How long it is left alone; by default it is due as it was.

    Returns:
        The status where it has ended; None where it was put back, or the claim is lost.
    """
    now = clock.now()
    later = {} if wait is None else {"due_at": now + wait}
    columns = {"status": ScheduleStatus.PENDING, "attempts": F("attempts") - 1, **later}
    with transaction.atomic():
        connection = _lock_connection(schedule)
        if connection.status == Status.DISCONNECTED:
            return failed(schedule, CONNECTION_INACTIVE, origin=origin)
        schedule.give_back(updated_at=now, **columns)
    return None


def _wait(attempts: int, retry_after: int | None) -> timedelta:
    """Wait for as long as the platform asks, else twice as long each time, spread by a quarter."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    first = settings.PUBLISH_FIRST_RETRY_SECONDS
    return backoff(attempts, first=first, longest=LONGEST_BACKOFF)


def _key_life(channel: str) -> timedelta:
    """Return how long the platform surely recognizes a repeated post's key; it may have none."""
    publishing = adapter_at(channel).publishing
    seconds = publishing.idempotency_seconds if publishing else 0
    return max(timedelta(seconds=seconds) - KEY_MARGIN, timedelta(0))


def _wait_for(row: Schedule, schedule: Schedule, *, error: str, origin: Origin) -> None:
    _end(row, ScheduleStatus.PENDING, now=clock.now())
    _record_failure(row, error)
    record_about_schedule(
        schedule, Action.SCHEDULE_PUT_OFF, origin=origin, outcome=Outcome.FAILURE, error=error
    )
    logger.warning("Publishing was put off: schedule %s, %s", row.pk, error)


def _fail(row: Schedule, schedule: Schedule, reason: str, *, error: str, origin: Origin) -> None:
    _end(row, ScheduleStatus.FAILED, now=clock.now(), failure_reason=reason)
    _record_failure(row, error)
    record_about_schedule(
        schedule,
        Action.SCHEDULE_FAILED,
        origin=origin,
        outcome=Outcome.FAILURE,
        result=reason,
        error=error,
    )
    logger.warning("Publishing failed: schedule %s, %s (%s)", row.pk, reason, error)


def _end(row: Schedule, status: ScheduleStatus, *, now: datetime, **columns: object) -> None:
    """End an attempt, and with it the lease."""
    row.status, row.lease, row.leased_until = status, None, None
    row.updated_at = now
    for column, value in columns.items():
        setattr(row, column, value)
    row.save()


def _record_failure(row: Schedule, error: str) -> None:
    PublishEvent.objects.create(
        schedule=row,
        channel_connection_id=row.channel_connection_id,
        outcome=PublishOutcome.FAILED,
        error_code=error,
        occurred_at=row.updated_at,
    )
