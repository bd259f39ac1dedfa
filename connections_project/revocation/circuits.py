"""Circuit breakers: don't call a platform that fails repeatedly; find out when it is back.

Revocations have one for each platform, probes of revoked tokens another, what requests ask of it a
third, and scheduled posts a fourth (`core/jobs/circuit.py`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import models, transaction

from connections_project.core import clock
from connections_project.core.jobs.backoff import backoff
from connections_project.core.jobs.circuit import in_trouble, left_alone
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.models import (
    CallCircuit,
    Circuit,
    PlatformCircuit,
    PostCircuit,
    ProbeCircuit,
)

SHORTEST_BLOCK = timedelta(seconds=1)
LONGEST_BLOCK = timedelta(minutes=5)
# People wait for these calls, and each process asks only once beside.
FIRST_CALL_BLOCK = 2.0
LONGEST_CALL_BLOCK = timedelta(minutes=1)

# What a platform says of one token, not of itself.
ABOUT_THE_TOKEN = frozenset({"refused", "dead_grant"})
# Nobody was asked.
OURS = frozenset({"not_asked", "no_files"})


def open_until(kind: type[PlatformCircuit], platform: str) -> datetime | None:
    """Return until when a platform is left alone; None where it may be asked."""
    rows = kind._default_manager.filter(left_alone(clock.now()), platform=platform)
    until: datetime | None = rows.values_list("blocked_until", flat=True).first()
    return until


def allow_probe(platform: str) -> bool:
    """End the wait of a platform's revocations: the next one asks, and all others wait for it.

    Returns:
        Whether the platform was being left alone.
    """
    now = clock.now()
    rows = Circuit.objects.filter(left_alone(now), platform=platform)
    return bool(rows.update(blocked_until=None))


def open_circuits() -> dict[str, list[str]]:
    """List the platforms that are left alone or asked by one probe at a time, by kind of call."""
    kinds: dict[str, type[PlatformCircuit]] = {
        "revocations": Circuit,
        "requests": CallCircuit,
        "posts": PostCircuit,
    }
    return {
        name: list(_in_trouble(kind).values_list("platform", flat=True))
        for name, kind in kinds.items()
    }


def _in_trouble(kind: type[PlatformCircuit]) -> models.QuerySet[PlatformCircuit]:
    return kind._default_manager.filter(in_trouble()).order_by("platform")


def is_failure(error: PlatformError | None) -> bool:
    """Whether an answer, a success where there is no error, speaks of a platform in trouble."""
    return error is not None and error.code not in ABOUT_THE_TOKEN


def note_success(platform: str) -> None:
    """Close the circuit of a platform's revocations."""
    _close(Circuit, platform)


def note_call_success(platform: str) -> None:
    """Close the circuit of what requests ask of a platform."""
    _close(CallCircuit, platform)


def note_failure(platform: str, *, retry_after: int | None = None) -> None:
    """Count a fault at a revocation, and open the circuit with the last one of too many.

    Args:
        retry_after: Seconds that the platform asks to be left alone.
    """
    _count(Circuit, platform, retry_after, _longer(settings.REVOCATION_FIRST_RETRY_SECONDS))


def note_call_failure(platform: str, *, retry_after: int | None = None) -> None:
    """Count a fault at a call that somebody waits for; the circuit opens for seconds, not minutes.

    Args:
        retry_after: Seconds that the platform asks to be left alone.
    """
    _count(CallCircuit, platform, retry_after, _longer(FIRST_CALL_BLOCK, LONGEST_CALL_BLOCK))


def may_probe(platform: str) -> bool:
    """Whether a platform may be asked about revoked tokens now."""
    return open_until(ProbeCircuit, platform) is None


def note_probe(platform: str, error: PlatformError | None) -> None:
    """Note whether a platform has answered when it was asked about a token."""
    if error is None or error.code in ABOUT_THE_TOKEN:
        _close(ProbeCircuit, platform)
    else:
        block_after = _longer(FIRST_CALL_BLOCK, LONGEST_CALL_BLOCK)
        _count(ProbeCircuit, platform, error.retry_after, block_after)


def note_post_success(platform: str) -> None:
    """Close the circuit of a platform's scheduled posts."""
    _close(PostCircuit, platform)


def note_post_failure(platform: str, *, retry_after: int | None = None) -> None:
    """Count a scheduled post that its platform did not answer.

    Args:
        retry_after: Seconds that the platform asks to be left alone.
    """
    _count(PostCircuit, platform, retry_after, _longer(FIRST_CALL_BLOCK, LONGEST_CALL_BLOCK))


def _longer(first: float, longest: timedelta = LONGEST_BLOCK) -> Callable[[int], timedelta]:
    """Return what says for how long a circuit opens, by how many probes have failed."""
    return partial(backoff, first=first, longest=longest, shortest=SHORTEST_BLOCK)


def _close(kind: type[PlatformCircuit], platform: str) -> None:
    """Close a circuit; no row is touched, nor a lock taken, where it is closed already."""
    rows = kind._default_manager.filter(platform=platform, faults__gt=0)
    rows.update(faults=0, blocked_until=None)


def _count(
    kind: type[PlatformCircuit],
    platform: str,
    retry_after: int | None,
    block_after: Callable[[int], timedelta],
) -> None:
    now = clock.now()
    rows = kind._default_manager
    with transaction.atomic():
        rows.bulk_create([kind(platform=platform)], ignore_conflicts=True)
        circuit = rows.select_for_update().get(platform=platform)
        if circuit.left_alone_for(now):
            return  # A call that was under way already says nothing new.
        circuit.count_failure(now, block_after, retry_after)
        circuit.save()
