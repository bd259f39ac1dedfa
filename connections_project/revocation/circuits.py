"""Circuit breakers: don't call a platform that fails repeatedly; find out when it is back.

A circuit breaker: after repeated faults it opens for a while; then one job is tried (half open),
and what becomes of that closes it or opens it for longer.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections_project.core.jobs.backoff import backoff
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.models import Circuit

FAULTS_TO_OPEN = 5
SHORTEST_BLOCK = timedelta(seconds=1)
LONGEST_BLOCK = timedelta(minutes=5)
LONGEST_RETRY_AFTER = timedelta(hours=1)

# What a platform says of one token, not of itself.
ABOUT_THE_TOKEN = frozenset({"refused", "dead_grant"})


def not_blocked(at: datetime) -> Q:
    return Q(blocked_until=None) | Q(blocked_until__lte=at)


def is_in_trouble(circuit: Circuit) -> bool:
    """Whether the next job is a probe, beside which no other is tried."""
    return circuit.faults >= FAULTS_TO_OPEN


def note_answer(platform: str, error: PlatformError | None) -> None:
    """Note how a platform has answered: with a success, or with an error of whatever kind."""
    if error is None or error.code in ABOUT_THE_TOKEN:
        note_success(platform)
    else:
        note_fault(platform, retry_after=error.retry_after)


def note_success(platform: str) -> None:
    """Close the circuit; no row is touched, nor a lock taken, where it is closed already."""
    Circuit.objects.filter(platform=platform, faults__gt=0).update(faults=0, blocked_until=None)


def note_fault(platform: str, *, retry_after: int | None = None) -> None:
    """Count a fault, and open the circuit with the last one of too many.

    Args:
        platform: Its slug.
        retry_after: Seconds that the platform asks to be left alone.
    """
    now = timezone.now()
    with transaction.atomic():
        Circuit.objects.bulk_create([Circuit(platform=platform)], ignore_conflicts=True)
        circuit = Circuit.objects.select_for_update().get(platform=platform)
        if circuit.blocked_until is not None and circuit.blocked_until > now:
            return  # A call that was under way already says nothing new.
        circuit.faults += 1
        if is_in_trouble(circuit):
            block = backoff(
                circuit.faults - FAULTS_TO_OPEN + 1,
                first=settings.REVOCATION_FIRST_RETRY_SECONDS,
                longest=LONGEST_BLOCK,
                shortest=SHORTEST_BLOCK,
            )
            requested = min(timedelta(seconds=retry_after or 0), LONGEST_RETRY_AFTER)
            circuit.blocked_until = now + max(block, requested)
        circuit.save()
