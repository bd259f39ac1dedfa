"""Renew grants that die of disuse: those that are given a new end with each refresh.

All others are refreshed when they are used, never by a sweep.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import takewhile
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.errors import ConnectionProblem
from connections_project.connections.models import OAuthConnection
from connections_project.core.vault import DecryptionError
from connections_project.platforms.registry import PlatformUnavailableError

logger = logging.getLogger(__name__)

C = TypeVar("C", bound=OAuthConnection)

ORIGIN = Origin(ActorType.SYSTEM, None, Interface.WORKER)
TRIES_ARE_APART = timedelta(hours=6)
MOST_AT_ONCE = 100
# Other periodic tasks may be waiting.
SECONDS_AT_ONCE = 20.0


def renew(live: "QuerySet[C]", refresh: Callable[..., Any]) -> int:
    """Try to renew some of the grants that have lived half of their life.

    Args:
        live: An app's connections whose tokens may be used.
        refresh: The app's own verb; it takes a connection, `origin` and `force`.

    Returns:
        How many were renewed.
    """
    ends_at = time.monotonic() + SECONDS_AT_ONCE
    due = live.filter(renew_at__lte=timezone.now()).order_by("renew_at")[:MOST_AT_ONCE]
    in_time = takewhile(lambda _: time.monotonic() < ends_at, list(due))
    return sum(_renewed(row, refresh) for row in in_time if _claim(live, row))


def _claim(live: "QuerySet[C]", row: C) -> bool:
    """Become the one process that tries this one now; where it fails, it is due again in hours."""
    mine = live.filter(pk=row.pk, renew_at=row.renew_at)
    return bool(mine.update(renew_at=timezone.now() + TRIES_ARE_APART))


def _renewed(row: C, refresh: Callable[..., Any]) -> bool:
    try:
        refresh(row, origin=ORIGIN, force=True)
    except (ConnectionProblem, PlatformUnavailableError, DecryptionError) as problem:
        # Audited where the platform was asked.
        logger.warning("%s was not renewed: %s", row.pk, type(problem).__name__)
        return False
    return True
