"""Suspend a platform, and resume it; both are audited."""

from typing import Any

from django.db import transaction

from audit.events import Action
from audit.record import Origin, record
from connections_project.core import clock
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import UnknownPlatformError, upstream


def suspend(*, slug: str, reason: str, origin: Origin) -> bool:
    """Suspend a platform in all processes at once.

    Returns:
        Whether anything changed; a suspended platform keeps its first reason.

    Raises:
        UnknownPlatformError: The catalogue has no such slug.
    """
    if upstream(slug) is None:
        raise UnknownPlatformError(slug)
    with transaction.atomic():
        _, created = Suspension.objects.get_or_create(
            slug=slug,
            defaults={
                "reason": reason,
                "suspended_at": clock.now(),
                "suspended_by": origin.actor_id,
            },
        )
        if created:
            record_about_platform(
                Action.PLATFORM_SUSPENDED, slug=slug, reason=reason, origin=origin
            )
    return created


def resume(*, slug: str, reason: str = "", origin: Origin) -> bool:
    """Lift a suspension, also of a platform that has left the catalogue.

    Returns:
        Whether it was suspended.

    Raises:
        UnknownPlatformError: It was not, and the catalogue has no such slug.
    """
    with transaction.atomic():
        lifted, _ = Suspension.objects.filter(pk=slug).delete()
        if not lifted and upstream(slug) is None:
            raise UnknownPlatformError(slug)
        if lifted:
            record_about_platform(Action.PLATFORM_RESUMED, slug=slug, reason=reason, origin=origin)
    return bool(lifted)


def record_about_platform(
    action: Action, *, slug: str, reason: str, origin: Origin, **details: Any
) -> None:
    """Record an event about a platform, with its slug in the details."""
    record(
        action,
        origin=origin,
        subject_type="platform",
        subject_id=None,
        subject_owner_id=None,
        reason=reason,
        details={"platform": slug, **details},
    )
