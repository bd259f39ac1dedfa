"""Renew the grants of this app that would die of disuse."""

from connections_project.connections.renewal import renew
from providers.models import Connection, Status
from providers.refresh import refreshed_for_use


def renew_ending_grants() -> int:
    """Renew some of the grants that have lived half of their life; return how many were."""
    return renew(Connection.objects.filter(status=Status.ACTIVE), refreshed_for_use)
