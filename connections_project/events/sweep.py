"""Forget events that were kept for long enough."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from connections_project.core import clock
from connections_project.events.models import Delivery, OutgoingEvent

BATCH = 1000


def forget_old_events() -> int:
    """Delete what is older than EVENT_RETENTION_DAYS and pending for no endpoint, batch by batch.

    Returns:
        How many events.
    """
    forgotten = 0
    while batch := _forget_some():
        forgotten += batch
    return forgotten


def _forget_some() -> int:
    kept_from = clock.now() - timedelta(days=settings.EVENT_RETENTION_DAYS)
    pending = Delivery.pending().filter(event=OuterRef("pk"), endpoint__disabled_at=None)
    old = OutgoingEvent.objects.filter(sequence__lt=int(kept_from.timestamp() * 1_000_000))
    with transaction.atomic():
        over = old.exclude(Exists(pending)).order_by("sequence")
        # What is being replayed just now is passed over, and no replay begins in between. What one
        # has made due since is seen once the events are locked.
        locked = over.select_for_update(skip_locked=True, of=("self",))
        keys = list(locked.values_list("pk", flat=True)[:BATCH])
        free = OutgoingEvent.objects.filter(pk__in=keys).exclude(Exists(pending))
        ids = list(free.values_list("pk", flat=True))
        Delivery.objects.filter(event__in=ids).delete()
        OutgoingEvent.objects.filter(pk__in=ids).delete()
    return len(ids)
