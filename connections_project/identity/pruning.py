"""Forget what no longer lets anybody in."""

from importlib import import_module

from django.conf import settings
from django.utils import timezone

from connections_project.identity.models import SessionFamily


def forget_ended_sessions() -> int:
    """Forget sign-ins whose last refresh token has ended, and the admin's ended sessions.

    Returns:
        How many sign-ins were forgotten.
    """
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    forgotten, _ = SessionFamily.objects.filter(expires_at__lte=timezone.now()).delete()
    return forgotten
