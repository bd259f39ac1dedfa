"""Renew grants that die of disuse: those that are given a new end with each refresh.

All others are refreshed when they are used, never by a sweep.
"""

import logging
import time
from datetime import timedelta
from itertools import takewhile

from audit.record import WORKER
from connections_project.connections.errors import ConnectionProblem
from connections_project.connections.models import OAuthConnection
from connections_project.connections.refresh import refreshed_for_use
from connections_project.connections.registry import Rows, connection_types
from connections_project.core import clock
from connections_project.core.vault import DecryptionError
from connections_project.platforms.registry import PlatformUnavailableError

logger = logging.getLogger(__name__)

TRIES_ARE_APART = timedelta(hours=6)
MOST_AT_ONCE = 100
# Of each type; other periodic tasks may be waiting.
SECONDS_AT_ONCE = 20.0


def renew_ending_grants() -> int:
    """Try to renew some grants of each type that have lived half of their life.

    Returns:
        How many were renewed.
    """
    return sum(
        _renewed_of(one.rows.filter(status=one.refresh_rules.live))
        for one in connection_types()
        if one.refresh_rules.live
    )


def _renewed_of(live: Rows) -> int:
    ends_at = time.monotonic() + SECONDS_AT_ONCE
    due = live.filter(renew_at__lte=clock.now()).order_by("renew_at")[:MOST_AT_ONCE]
    in_time = takewhile(lambda _: time.monotonic() < ends_at, list(due))
    return sum(_is_renewed(row) for row in in_time if _claim(live, row))


def _claim(live: Rows, row: OAuthConnection) -> bool:
    """Claim a connection for this process; a renewal that fails is due again in hours."""
    mine = live.filter(pk=row.pk, renew_at=row.renew_at)
    return bool(mine.update(renew_at=clock.now() + TRIES_ARE_APART))


def _is_renewed(row: OAuthConnection) -> bool:
    try:
        refreshed_for_use(row, origin=WORKER, force=True)
    except (ConnectionProblem, PlatformUnavailableError, DecryptionError) as problem:
        # Audited where the platform was asked.
        logger.warning("%s was not renewed: %s", row.pk, type(problem).__name__)
        return False
    return True
