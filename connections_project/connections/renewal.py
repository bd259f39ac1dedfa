"""Renew grants that die of disuse: those that are given a new end with each refresh.

All others are refreshed when they are used, never by a sweep. Several platforms are asked side by
side, none by more than a few calls at a time, so that one that hangs or is slow holds up no other.
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from operator import attrgetter

from audit.record import WORKER
from connections_project.connections.errors import ConnectionProblem
from connections_project.connections.models import OAuthConnection
from connections_project.connections.outbound_limits import is_away
from connections_project.connections.refresh import refreshed_for_use
from connections_project.connections.registry import Rows, connection_types
from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.jobs.batches import BatchWorker, Claimed
from connections_project.core.jobs.circuit import in_trouble, left_alone
from connections_project.core.jobs.lanes import Lane, Lanes
from connections_project.core.storable import require_storable
from connections_project.core.vault import DecryptionError
from connections_project.oauth.errors import PlatformError
from connections_project.platforms.registry import PlatformUnavailableError
from connections_project.revocation.circuits import OURS, note_call_failure, note_call_success
from connections_project.revocation.models import CallCircuit

logger = logging.getLogger(__name__)

TRIES_ARE_APART = timedelta(hours=6)
# Of one worker.
AT_ONCE = 8
MOST_OF_A_PLATFORM = 3


def renew_ending_grants() -> int:
    """Try to renew the grants that have lived half of their life, as far as the time goes.

    Returns:
        How many were renewed.
    """
    if not any(rows.exists() for rows in _due()):
        return 0
    limited: set[str] = set()
    worker: BatchWorker[OAuthConnection, bool, bool] = BatchWorker(
        claim=partial(_claim, limited=limited),
        lanes=partial(_lanes, limited),
        settle=lambda renewed: renewed,
        # Nothing is claimed ahead.
        give_back=lambda _: None,
        threads=AT_ONCE,
        prepare=lambda: None,
        call_others=lambda: notify_workers(renew_ending_grants),
    )
    return sum(worker.run())


def _lanes(limited: set[str]) -> Lanes[OAuthConnection, bool]:
    by_platform, renew = attrgetter("platform_slug"), partial(_is_renewed, limited=limited)
    return Lanes(renew, name_of=by_platform, is_well=lambda _: False, threads=AT_ONCE)


def _due() -> list[Rows]:
    """Return what is due of each type, the longest waiting first."""
    now = clock.now()
    live = [(one.rows, one.refresh_rules.live) for one in connection_types()]
    return [
        rows.filter(status=status, renew_at__lte=now).order_by("renew_at")
        for rows, status in live
        if status
    ]


def _claim(
    lanes: Mapping[str, Lane[OAuthConnection]], *, limited: Collection[str]
) -> Claimed[OAuthConnection]:
    """Claim as many as threads are free, first of platforms of which nothing is asked just now.

    Args:
        limited: Platforms that have had enough calls for now: they are asked by the next run.

    Raises:
        OperationalError: See `require_storable`. Who is claimed then is put off, and not asked.
    """
    require_storable()
    running = Counter({slug: lane.running for slug, lane in lanes.items()})
    down, probed = _in_trouble()
    idle = AT_ONCE - running.total()
    taken: list[OAuthConnection] = []
    for most in range(1, MOST_OF_A_PLATFORM + 1):
        while len(taken) < idle:
            busy = {slug for slug, n in running.items() if n >= (1 if slug in probed else most)}
            if (row := _take({*down, *busy, *limited})) is None:
                break
            running[row.platform_slug] += 1
            taken.append(row)
    return Claimed(taken, dict.fromkeys(running, MOST_OF_A_PLATFORM))


def _in_trouble() -> tuple[set[str], set[str]]:
    """Return the platforms that are left alone, and those that are asked once first."""
    now = clock.now()
    circuits = list(CallCircuit.objects.filter(in_trouble() | left_alone(now)))
    down = {one.platform for one in circuits if one.left_alone_for(now)}
    return down, {one.platform for one in circuits} - down


def _take(passed_over: Collection[str]) -> OAuthConnection | None:
    """Claim the one that is due longest; a renewal that fails is due again in hours."""
    while found := [row for rows in _due() if (row := _first(rows, passed_over))]:
        row = min(found, key=attrgetter("renew_at"))
        mine = type(row)._default_manager.filter(pk=row.pk, renew_at=row.renew_at)
        if mine.update(renew_at=clock.now() + TRIES_ARE_APART):
            return row
    return None


def _first(rows: Rows, passed_over: Collection[str]) -> OAuthConnection | None:
    others = rows.exclude(**{f"{rows.model.platform_column}__in": passed_over})
    row: OAuthConnection | None = others.first()
    return row


def _is_renewed(row: OAuthConnection, *, limited: set[str]) -> bool:
    try:
        refreshed_for_use(row, origin=WORKER, force=True)
    except (ConnectionProblem, PlatformUnavailableError, DecryptionError) as problem:
        # Audited where the platform was asked.
        logger.warning("%s was not renewed: %s", row.pk, type(problem).__name__)
        if isinstance(problem.__cause__, PlatformError):
            _note_failure(row.platform_slug, problem.__cause__)
            if problem.__cause__.code == "rate_limited":
                limited.add(row.platform_slug)
        return False
    note_call_success(row.platform_slug)
    return True


def _note_failure(platform: str, error: PlatformError) -> None:
    """Learn from a refusal, too, that a platform is up; from what is our own fault nothing."""
    if is_away(error):
        note_call_failure(platform, retry_after=error.retry_after)
    elif error.code not in OURS:
        note_call_success(platform)
