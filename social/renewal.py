"""Renew the grants of this app that would die of disuse: tokens exchanged for themselves."""

from connections_project.connections.renewal import renew
from social.models import SocialAccount
from social.refresh import refreshed_for_use


def renew_ending_grants() -> int:
    """Renew some of the grants that have lived half of their life; return how many were."""
    return renew(SocialAccount.objects.usable(), refreshed_for_use)
