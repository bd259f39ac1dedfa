"""Erase the kept tokens of accounts that were disconnected long enough ago."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.events import Action, ActorType, Interface
from audit.record import Event, Origin, record_many
from connections_project.connections.models import ERASED
from social.models import SocialAccount

BATCH = 1000
ORIGIN = Origin(ActorType.SYSTEM, None, Interface.WORKER)


def erase_kept_too_long() -> int:
    """Erase what was kept for SOCIAL_TOKEN_RETENTION_DAYS, batch by batch.

    Returns:
        How many accounts' tokens were erased.
    """
    erased = 0
    if not SocialAccount.objects.kept_too_long(now=timezone.now()).exists():
        return erased
    while batch := _erase_batch():
        erased += batch
    return erased


def _erase_batch() -> int:
    now = timezone.now()
    with transaction.atomic():
        # Whoever holds a row is reconnecting it, or erases it too.
        rows = list(
            SocialAccount.objects.kept_too_long(now=now)
            .select_for_update(skip_locked=True)
            .order_by("disconnected_at")
            .only("pk", "team_id", "platform")[:BATCH]
        )
        SocialAccount.objects.filter(pk__in=[row.pk for row in rows]).update(
            **ERASED,
            token_issued_at=None,
            token_expires_at=None,
            grant_expires_at=None,
            epoch=F("epoch") + 1,
            updated_at=now,
        )
        record_many([_event(row) for row in rows])
    return len(rows)


def _event(row: SocialAccount) -> Event:
    return Event(
        action=Action.ACCOUNT_TOKENS_ERASED,
        origin=ORIGIN,
        subject_type="social.connection",
        subject_id=row.pk,
        subject_owner_id=row.team_id,
        details={"platform": row.platform, "cause": "retention"},
    )
