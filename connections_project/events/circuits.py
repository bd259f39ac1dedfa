"""Leave an endpoint alone that fails again and again, and find out when it is back."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections_project.core.jobs.backoff import backoff
from connections_project.events.models import Endpoint

FAILURES_TO_OPEN = 5
LONGEST_BLOCK = timedelta(minutes=1)
LONGEST_RETRY_AFTER = timedelta(hours=1)
# So old a time of the last success is good enough to be shown.
FRESH = timedelta(seconds=10)


def is_in_trouble(endpoint: Endpoint) -> bool:
    """Whether the next delivery is a probe, beside which no other is tried."""
    return endpoint.faults >= FAILURES_TO_OPEN


def open_endpoint_circuits() -> list[str]:
    """List the enabled endpoints that are left alone or asked by one probe at a time."""
    rows = Endpoint.objects.filter(disabled_at=None, faults__gte=FAILURES_TO_OPEN).order_by("pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def note_success(endpoint: Endpoint) -> None:
    """Close the circuit; no row is touched where that is known already."""
    now = timezone.now()
    last = endpoint.last_success_at
    if not endpoint.faults and last is not None and now - last < FRESH:
        return
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    rows.update(faults=0, blocked_until=None, last_success_at=now)


def note_failure(endpoint: Endpoint, *, retry_after: int | None = None) -> None:
    """Count a fault, and open the circuit with the last one of too many.

    Args:
        endpoint: Which.
        retry_after: Seconds that it asks to be left alone.
    """
    now = timezone.now()
    with transaction.atomic():
        row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if row.blocked_until is not None and row.blocked_until > now:
            return  # One that was under way already tells nothing new.
        row.faults += 1
        if is_in_trouble(row):
            requested = min(timedelta(seconds=retry_after or 0), LONGEST_RETRY_AFTER)
            row.blocked_until = now + max(_block(row.faults), requested)
        row.save(update_fields=["faults", "blocked_until"])


def _block(faults: int) -> timedelta:
    # No longer than a delivery would wait by the plan, so that this delays none for much longer.
    longest = min(timedelta(seconds=max(settings.EVENT_RETRY_SECONDS)), LONGEST_BLOCK)
    return backoff(faults - FAILURES_TO_OPEN + 1, first=1, longest=longest)
