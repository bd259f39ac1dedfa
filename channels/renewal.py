"""Renew the grants of this app that would die of disuse."""

from channels.models import ChannelConnection, Status
from channels.refresh import refreshed_for_use
from connections_project.connections.renewal import renew


def renew_ending_grants() -> int:
    """Renew some of the grants that have lived half of their life; return how many were."""
    return renew(ChannelConnection.objects.filter(status=Status.CONNECTED), refreshed_for_use)
