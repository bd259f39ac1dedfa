"""Forget events that were kept for long enough."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

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
    kept_from = timezone.now() - timedelta(days=settings.EVENT_RETENTION_DAYS)
    pending = Delivery.pending().filter(event=OuterRef("pk"), endpoint__disabled_at=None)
    old = OutgoingEvent.objects.filter(sequence__lt=int(kept_from.timestamp() * 1_000_000))
    with transaction.atomic():
        over = old.exclude(Exists(pending)).order_by("sequence")
        ids = list(over.values_list("pk", flat=True)[:BATCH])
        Delivery.objects.filter(event__in=ids).delete()
        OutgoingEvent.objects.filter(pk__in=ids).delete()
    return len(ids)
