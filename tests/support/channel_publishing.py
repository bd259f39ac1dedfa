"""Passes of the publisher, and what they leave behind."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit.events import Interface
from audit.models import AuditEvent
from channels.attempt import attempt
from channels.circuits import open_circuits
from channels.claims import claim
from channels.models import ChannelConnection, PublishEvent, Schedule
from channels.publish import publish_due
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.revocation.slots import release_slots
from tests.support.channel_rows import schedule_of
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer, Request

X, MASTODON = "/2/tweets", "/api/v1/statuses"
ADAPTER = 'adapter = "channels.adapters.{}"'

UseChirp = Callable[..., Chirp]


def published() -> list[str]:
    """Make one pass."""
    return list(publish_due(interface=Interface.WORKER, due_by=clock.now()))


def claimed(worker: UUID | None = None, *, due_by: datetime | None = None) -> list[Schedule]:
    """Claim the next schedule, as a worker with one thread."""
    open_circuits()
    return list(claim(worker or uuid7(), threads=1, due_by=due_by or clock.now()).jobs)


def tried() -> list[str]:
    """Do what a pass does in this thread, which a test's own transaction does not reach beyond."""
    started, worker = timezone.now(), uuid7()
    outcomes = []
    while found := claimed(worker, due_by=started):
        outcomes.append(attempt(found[0], interface=Interface.WORKER))
    release_slots(worker)
    return [outcome for outcome in outcomes if outcome]


def due_schedule(connection: ChannelConnection, **columns: Any) -> Schedule:
    """Make a schedule whose time came a moment ago."""
    moment = timezone.now() - timedelta(seconds=1)
    return schedule_of(connection, **{"run_at": moment, **columns})


def make_due(schedule: Schedule) -> None:
    moment = timezone.now() - timedelta(seconds=1)
    Schedule.objects.filter(pk=schedule.pk).update(due_at=moment)


def outcome_of(schedule: Schedule) -> tuple[str, str | None]:
    schedule.refresh_from_db()
    return schedule.status, schedule.failure_reason


def history_of(schedule: Schedule) -> list[tuple[str, str | None]]:
    """Return the publish events of a schedule, oldest first: the post's id, or the error."""
    events = PublishEvent.objects.filter(schedule=schedule).order_by("id")
    return [(one.outcome, one.platform_post_id or one.error_code) for one in events]


def trail_of(schedule: Schedule) -> list[str]:
    events = AuditEvent.objects.filter(subject_id=schedule.pk).order_by("id")
    return [event.action for event in events]


def posts(chirp: Chirp, path: str = X) -> list[Request]:
    return chirp.server.requests_to(path)


def accepted(post_id: str = "post-1") -> Answer:
    """Answer as X does."""
    return Answer(201, json={"data": {"id": post_id, "text": "Hello"}})


def tooted(post_id: str = "post-1") -> Answer:
    """Answer as Mastodon does."""
    return Answer(json={"id": post_id, "url": f"https://mastodon.example/@ada/{post_id}"})
