"""Renew grants that die of disuse: tokens that are exchanged for themselves, while they live.

All others are refreshed when they are used (DESIGN, wall 7).
"""

import logging
import time
from datetime import timedelta
from itertools import takewhile

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.errors import ConnectionProblem
from connections_project.platforms.registry import PlatformUnavailableError
from connections_project.vault import DecryptionError
from social.models import SocialAccount
from social.refresh import refreshed_for_use

logger = logging.getLogger(__name__)

ORIGIN = Origin(ActorType.SYSTEM, None, Interface.WORKER)
# How long before its end a grant is renewed: half of what Meta's live, so that weeks of outage cost
# nobody a connection.
AHEAD = timedelta(days=30)
# Threads and Instagram refuse younger tokens (facts §2: "at least 24 h old").
LEAST_AGE = timedelta(hours=24)
TRIES_ARE_APART = timedelta(hours=6)
MOST_AT_ONCE = 100
# Other chores may be waiting.
SECONDS_AT_ONCE = 20.0


def renew_ending_grants() -> int:
    """Try to renew some of the grants that end soon.

    Returns:
        How many were renewed.
    """
    ends_at = time.monotonic() + SECONDS_AT_ONCE
    in_time = takewhile(lambda _: time.monotonic() < ends_at, _due())
    return sum(_renewed(account) for account in in_time if _claim(account))


def _due() -> list[SocialAccount]:
    now = timezone.now()
    slugs = [
        one.slug for one in settings.CATALOG.of_app("social") if one.refresh == "self_exchange"
    ]
    return list(
        SocialAccount.objects.usable()
        .filter(
            _not_tried_lately(),
            platform__in=slugs,
            has_refresh_token=True,
            grant_expires_at__lte=now + AHEAD,
            token_issued_at__lte=now - LEAST_AGE,
        )
        .order_by("grant_expires_at")[:MOST_AT_ONCE]
    )


def _not_tried_lately() -> Q:
    limit = timezone.now() - TRIES_ARE_APART
    return Q(renewal_tried_at=None) | Q(renewal_tried_at__lt=limit)


def _claim(account: SocialAccount) -> bool:
    """Become the one process that tries this account now."""
    rows = SocialAccount.objects.usable().filter(_not_tried_lately(), pk=account.pk)
    return bool(rows.update(renewal_tried_at=timezone.now()))


def _renewed(account: SocialAccount) -> bool:
    try:
        refreshed_for_use(account, origin=ORIGIN, force=True)
    except (ConnectionProblem, PlatformUnavailableError, DecryptionError) as problem:
        # Audited where the platform was asked; the next try is hours away.
        logger.warning("%s was not renewed: %s", account.pk, type(problem).__name__)
        return False
    return True
