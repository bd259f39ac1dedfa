"""Erase the kept tokens of accounts that were disconnected long enough ago."""

from django.db import transaction

from audit.events import Action
from audit.record import WORKER, record_many
from connections_project.connections.disconnect import erase_tokens, lock_rows
from connections_project.connections.records import event_about
from connections_project.core import clock
from connections_project.platforms.adapter import has_extras
from connections_project.revocation.release import revoke_extras
from social.disconnect import living_on_others_tokens
from social.models import SocialAccount

BATCH = 1000


def erase_kept_too_long() -> int:
    """Erase what was kept for SOCIAL_TOKEN_RETENTION_DAYS, batch by batch.

    Returns:
        How many accounts' tokens were erased.
    """
    erased = 0
    if not SocialAccount.objects.kept_too_long(now=clock.now()).exists():
        return erased
    while batch := _erase_batch():
        erased += batch
    return erased


def _erase_batch() -> int:
    now = clock.now()
    with transaction.atomic():
        oldest = SocialAccount.objects.kept_too_long(now=now).order_by("disconnected_at")[:BATCH]
        # Whoever holds a row is reconnecting it, or erases it too.
        rows = lock_rows(oldest, skip_locked=True)
        _revoke_extras(rows)
        erase_tokens(rows, now=now)
        record_many(
            event_about(row, Action.ACCOUNT_TOKENS_ERASED, origin=WORKER, cause="retention")
            for row in rows
        )
    return len(rows)


def _revoke_extras(rows: list[SocialAccount]) -> None:
    """Revoke what came beside the tokens, but for those that another account has too; the workers
    find the jobs."""
    own = [row for row in rows if has_extras(row.platform_slug)]
    shared = living_on_others_tokens(own)
    revoke_extras([row for row in own if row.pk not in shared])
