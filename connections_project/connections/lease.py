"""One refresh at a time per connection, over all processes and hosts, without an open transaction.

The lease is a pair of columns, taken by one conditional UPDATE. It runs out by itself, so that a
process that dies with it wedges nothing.
"""

import time
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from connections_project.connections.errors import BusyError
from connections_project.connections.models import OAuthConnection
from connections_project.core.ids import uuid7

C = TypeVar("C", bound=OAuthConnection)

CALL_SECONDS = 10.0
WAIT_SECONDS = 12.0
LOOK_SECONDS = 0.1


def take_lease(connection: OAuthConnection) -> UUID | None:
    """Try to become the one that refreshes a connection as it was read.

    Returns:
        The lease; None where somebody else has it or the connection has changed since.
    """
    now = timezone.now()
    lease = uuid7()
    free = Q(refresh_leased_until=None) | Q(refresh_leased_until__lt=now)
    rows = type(connection)._default_manager.filter(free, pk=connection.pk, epoch=connection.epoch)
    until = now + timedelta(seconds=settings.REFRESH_LEASE_SECONDS)
    return lease if rows.update(refresh_lease=lease, refresh_leased_until=until) else None


def give_back(connection: OAuthConnection, lease: UUID) -> None:
    """Let the next one try; without effect on a lease that has passed on."""
    rows = type(connection)._default_manager.filter(pk=connection.pk, refresh_lease=lease)
    rows.update(refresh_lease=None, refresh_leased_until=None)


def longest_call() -> float:
    """Return the seconds that a call under a lease may take: it is over before the lease is."""
    return min(CALL_SECONDS, 0.9 * settings.REFRESH_LEASE_SECONDS)


def wait_for_result(connection: C, *, until: float) -> C:
    """Wait until the one who refreshes is done.

    Args:
        connection: As it was read.
        until: How long, on the monotonic clock in seconds.

    Returns:
        The row as that one left it. An unchanged epoch means that the refresh failed, or that its
        lease ran out.

    Raises:
        BusyError: It took longer.
    """
    while time.monotonic() < until:
        row = type(connection)._default_manager.get(pk=connection.pk)
        if row.epoch != connection.epoch or not _is_leased(row):
            return row
        time.sleep(LOOK_SECONDS)
    raise BusyError


def _is_leased(row: OAuthConnection) -> bool:
    return row.refresh_leased_until is not None and row.refresh_leased_until >= timezone.now()
