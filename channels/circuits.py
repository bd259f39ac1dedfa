"""Learn from each scheduled post whether its platform answers: one that doesn't is left alone."""

import logging
from collections.abc import Iterable

from django.db import DatabaseError, InterfaceError, transaction

from channels.claims import left_behind
from channels.models import Schedule, ScheduleQuerySet
from connections_project.connections.outbound_limits import is_away
from connections_project.core import clock
from connections_project.core.jobs.claim import locked_rows
from connections_project.core.jobs.keys import keys_of
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.circuits import OURS, note_post_failure, note_post_success
from connections_project.revocation.models import PostCircuit

logger = logging.getLogger(__name__)

LARGEST_BATCH = 1_000


def note_answer(schedule: Schedule, error: PlatformError | None) -> None:
    """Note what came of sending a claimed schedule, once that itself is recorded.

    No row is touched where its platform was known to be well, and is.
    """
    try:
        if error is not None and is_away(error):
            note_post_failure(schedule.channel, retry_after=error.retry_after)
        elif schedule.has_faults and (error is None or error.code not in OURS):
            note_post_success(schedule.channel)
    except (DatabaseError, InterfaceError):
        # The answer itself stands.
        logger.warning("%s: how it is doing can't be noted", schedule.channel, exc_info=True)


def open_circuits() -> None:
    """Create what claims need: the circuits of platforms, and the channels of schedules."""
    for rows in (Schedule.pending().filter(due_at__lte=clock.now()), left_behind()):
        _name_channels(rows.filter(channel=""))
    known = set(PostCircuit.objects.values_list("platform", flat=True))
    # Of those too that have left the catalogue: somebody has to end what is due there.
    _create({*keys_of(Schedule.pending().exclude(channel=""), "channel")} - known)


def _create(platforms: Iterable[str]) -> None:
    missing = [PostCircuit(platform=platform) for platform in sorted(platforms)]
    if missing:
        PostCircuit.objects.bulk_create(missing, ignore_conflicts=True)


def _name_channels(rows: ScheduleQuerySet) -> None:
    """Copy the channel to schedules that were made without."""
    with transaction.atomic():
        nameless = locked_rows(rows.select_related("channel_connection"), LARGEST_BATCH)
        for schedule in nameless:
            schedule.channel = schedule.channel_connection.channel
        if nameless:
            _create({schedule.channel for schedule in nameless})
            Schedule.objects.bulk_update(nameless, ["channel"])
