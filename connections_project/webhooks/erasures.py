"""What an erasure had to leave: whose grant a revocation is of, as long as that is under way."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from audit.events import Action
from audit.models import AuditEvent
from audit.readable import rows
from connections_project.connections.registry import DISCONNECTED, connection_types
from connections_project.core import clock
from connections_project.revocation.models import JobState, RevocationJob

# Longer than any revocation is tried, and than background work may stand still unnoticed.
LOOKED_BACK = timedelta(days=30)
# Whoever connects beside a revocation asks a moment later whose grant it was of.
STILL_ASKED_FOR = timedelta(minutes=10)
BATCH = 1000


def forget_whose_grants_ended() -> int:
    """Erase the person's id from revocations that were under way when it was to be erased.

    Returns:
        From how many.
    """
    now = clock.now()
    notices = AuditEvent.objects.filter(
        action=Action.CONNECTION_DEAUTHORIZED, occurred_at__gte=now - LOOKED_BACK
    )
    erased = {row["subject_id"] for row in _erasures(notices) if row["subject_id"]}
    ids = [*erased.union(_of_forgotten_people(now - LOOKED_BACK))]
    return sum(_forget(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def _of_forgotten_people(since: datetime) -> Iterator[UUID]:
    """Return the ids of connections whose person was forgotten: their rows name nobody any more."""
    events = AuditEvent.objects.filter(action=Action.USER_FORGOTTEN, occurred_at__gte=since)
    users = events.values("subject_id")
    for one in connection_types():
        teams = Q(team__owner__in=users) | Q(team__memberships__user__in=users)
        owned = teams if one.belongs_to_teams else Q(user__in=users)
        nameless = one.rows.filter(owned, status=DISCONNECTED, granting_user_id=None)
        yield from nameless.values_list("pk", flat=True)


def _erasures(notices: QuerySet[AuditEvent]) -> Iterator[dict[str, Any]]:
    """Return those that tell of an erasure; SQLite fails at details that it can't parse."""
    text = Cast("details", TextField())
    told = notices.alias(text=text).filter(text__contains='"profile_erased"')
    for row in rows(told, in_memory=False):
        if isinstance(row["details"], dict) and row["details"].get("profile_erased") is True:
            yield row


def _forget(connection_ids: list[UUID]) -> int:
    jobs = RevocationJob.objects.filter(connection_id__in=connection_ids)
    ended = jobs.exclude(state=JobState.PENDING).exclude(platform_user_id=None)
    return ended.filter(finished_at__lt=clock.now() - STILL_ASKED_FOR).update(platform_user_id=None)
