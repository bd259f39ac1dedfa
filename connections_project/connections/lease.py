"""One refresh at a time per connection, over all processes and hosts, without an open transaction.

The lease is a pair of columns, taken by one conditional UPDATE. It runs out by itself, so that a
process that dies with it blocks nothing.
"""

import time
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from connections_project.connections.errors import BusyError
from connections_project.connections.models import OAuthConnection
from connections_project.core.ids import uuid7
from connections_project.core.jobs.lease import lease_end, leased, not_leased
from connections_project.core.storable import require_storable

C = TypeVar("C", bound=OAuthConnection)

CALL_SECONDS = 10.0
WAIT_SECONDS = 12.0
LOOK_SECONDS = 0.1


def take_lease(connection: OAuthConnection) -> UUID | None:
    """Try to take the lease for refreshing a connection, unless it has changed since it was read.

    Returns:
        The lease; None where somebody else has it or the connection has changed since.

    Raises:
        OperationalError: See `require_storable`; nothing is leased.
    """
    require_storable()
    lease = uuid7()
    rows = type(connection)._default_manager.filter(pk=connection.pk, epoch=connection.epoch)
    until = lease_end(settings.REFRESH_LEASE_SECONDS)
    free = rows.filter(not_leased("refresh_leased_until"))
    return lease if free.update(refresh_lease=lease, refresh_leased_until=until) else None


def give_back(connection: OAuthConnection, lease: UUID) -> None:
    """Release a lease; without effect on one that another process has taken over."""
    rows = type(connection)._default_manager.filter(pk=connection.pk, refresh_lease=lease)
    rows.update(refresh_lease=None, refresh_leased_until=None)


def longest_call() -> float:
    """Return the seconds that a call under a lease may take: it is over before the lease is."""
    return min(CALL_SECONDS, 0.9 * settings.REFRESH_LEASE_SECONDS)


def wait_for_result(connection: C, *, until: float) -> C:
    """Wait until the process that holds the lease is done.

    Args:
        connection: As it was read.
        until: How long, on the monotonic clock in seconds.

    Returns:
        The row as that process left it. An unchanged epoch means that the refresh failed or its
        lease ran out.

    Raises:
        BusyError: It took longer.
    """
    rows = type(connection)._default_manager
    held = rows.filter(leased("refresh_leased_until"), pk=connection.pk, epoch=connection.epoch)
    while time.monotonic() < until:
        if not held.exists():
            return rows.get(pk=connection.pk)
        time.sleep(LOOK_SECONDS)
    raise BusyError
