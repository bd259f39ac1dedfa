"""The end of schedules that are over, and of what came of them."""

import logging

from django.conf import settings
from django.db import transaction

from channels.models import OVER, PublishEvent, Schedule
from connections_project.core import retention

logger = logging.getLogger(__name__)


def forget_old_schedules() -> int:
    """Delete schedules that have been over for PUBLISH_RETENTION_DAYS, with their publish events.

    Returns:
        How many schedules.
    """
    limit = retention.expiry(settings.PUBLISH_RETENTION_DAYS)
    if limit is None:
        return 0
    forgotten = 0
    over = Schedule.objects.filter(status__in=OVER, updated_at__lt=limit)
    for batch in retention.batches(over):
        with transaction.atomic():
            # Locked, so that no other worker deletes one between the two statements.
            keys = list(batch.select_for_update(skip_locked=True).values_list("pk", flat=True))
            PublishEvent.objects.filter(schedule__in=keys).delete()
            forgotten += Schedule.objects.filter(pk__in=keys).delete()[0]
        if not keys:
            break
    posts = PublishEvent.objects.filter(schedule=None, occurred_at__lt=limit)
    retention.delete(posts.order_by("occurred_at"))
    if forgotten:
        logger.info("Deleted %d schedules that were over long ago", forgotten)
    return forgotten
