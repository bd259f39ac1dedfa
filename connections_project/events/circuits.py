"""Leave an endpoint alone that fails again and again, and find out when it is back."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from connections_project.core import clock
from connections_project.core.jobs.backoff import backoff
from connections_project.core.jobs.circuit import in_trouble
from connections_project.events.chains import Answer
from connections_project.events.models import Endpoint

LONGEST_BLOCK = timedelta(minutes=1)
# The time of the last success is only shown, so it may be this old.
FRESH = timedelta(seconds=10)


def open_endpoint_circuits() -> list[str]:
    """List the enabled endpoints that are left alone or asked by one probe at a time."""
    rows = Endpoint.objects.filter(in_trouble(), disabled_at=None).order_by("pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def note_answers(endpoint: Endpoint, answers: Sequence[Answer]) -> None:
    """Close the circuit by a success, or open it with the last one of too many faults in a row.

    No row is touched where it is known already that all is well.

    Args:
        endpoint: As it was when the deliveries were claimed.
        answers: What it answered, in this order. A failure that speaks of an event is neither.
    """
    telling = [one for one in answers if one.is_endpoints or not one.error]
    if not telling or (_is_known_to_be_well(endpoint) and not any(one.error for one in telling)):
        return
    now = clock.now()
    with transaction.atomic():
        row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        for answer in telling:
            if not answer.error:
                row.faults, row.blocked_until, row.last_success_at = 0, None, now
            elif not row.left_alone_for(now):
                row.count_failure(now, _block, answer.wait)
            # Else one that was under way already tells nothing new.
        row.save(update_fields=["faults", "blocked_until", "last_success_at"])


def _is_known_to_be_well(endpoint: Endpoint) -> bool:
    last = endpoint.last_success_at
    return not endpoint.faults and last is not None and clock.now() - last < FRESH


def _block(probes: int) -> timedelta:
    # No longer than a delivery would wait by the plan, so that this delays none for much longer.
    longest = min(timedelta(seconds=max(settings.EVENT_RETRY_SECONDS)), LONGEST_BLOCK)
    return backoff(probes, first=1, longest=longest)
