"""Disconnect many social accounts at once, by the rules of `social/disconnect.py` for one."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit.events import Action
from audit.record import Event, record_many
from connections_project.connections.end_many import (
    DisconnectRequest,
    DisconnectResult,
    LockedConnection,
    changed,
    erased,
    event_about,
    lock_rows,
    source_of,
    update,
)
from connections_project.core.parsing import render_datetime
from connections_project.revocation.grants import holders_of
from connections_project.revocation.models import GrantHold
from connections_project.revocation.release import Decision
from connections_project.revocation.release_many import release_many
from social.models import SocialAccount, Status, left_to_end


def disconnect_many(
    ids: Collection[UUID], *, order: DisconnectRequest, erase: bool = False
) -> DisconnectResult:
    """End a batch of accounts in the caller's transaction, which must be open.

    Args:
        ids: Accounts; one that is over, gone, or held by somebody else is passed over.
        order: Who says so, and how.
        erase: Erase the tokens, also those that an earlier disconnect has kept.
    """
    live = SocialAccount.objects.filter(left_to_end(kept_tokens=erase))
    rows = lock_rows(live, ids, wait=order.wait)
    if not rows:
        return DisconnectResult()
    over = _disconnected(rows) if erase else frozenset()
    released = release_many(
        rows,
        source_of(SocialAccount),
        revoke=order.revoke,
        shared=_living_on_others_tokens(rows) if order.revoke else (),
    )
    now = timezone.now()
    ended = [one for one in rows if one.connection_id not in over]
    bare = [
        one
        for one in rows
        if one.had_tokens and (erase or released.decisions[one.connection_id] is Decision.PENDING)
    ]
    update(
        SocialAccount,
        ended,
        status=Status.DISCONNECTED,
        is_active=False,
        disconnected_at=now,
        **changed(now),
    )
    update(SocialAccount, bare, **erased(now))
    record_many(
        [
            *_ended(ended, order, now),
            *_skipped(rows, released.decisions, order),
            *(_about(one, Action.ACCOUNT_TOKENS_ERASED, order) for one in bare),
        ]
    )
    return DisconnectResult(rows, job_ids=released.job_ids)


def _disconnected(rows: Sequence[LockedConnection]) -> frozenset[UUID]:
    """Find those that an earlier disconnect has taken out of use, and whose tokens it kept."""
    over = SocialAccount.objects.filter(status=Status.DISCONNECTED)
    keys = [one.connection_id for one in rows]
    return frozenset(over.filter(pk__in=keys).values_list("pk", flat=True))


def _living_on_others_tokens(rows: Sequence[LockedConnection]) -> frozenset[UUID]:
    """Find those whose very tokens a live account has, or another one of the batch is revoked with.

    Locks the holders as `disconnect` does, so that of two batches the second one's is the last.
    """
    same = SocialAccount.objects.filter(token_set__isnull=False)
    batch = {one.connection_id for one in rows}
    sets = defaultdict(set)
    for token_set, key in same.filter(pk__in=batch).values_list("token_set", "pk"):
        sets[token_set].add(key)
    if not sets:
        return frozenset()
    grants = {one.grant for one in rows if one.grant.platform_user_id is not None}
    alive = frozenset[UUID]().union(*holders_of(grants).values())
    is_live = Exists(GrantHold.objects.filter(connection_id=OuterRef("pk")))
    others = same.filter(is_live, token_set__in=sets).exclude(pk__in=batch)
    for token_set in set(sets) - set(others.values_list("token_set", flat=True)):
        sets[token_set].remove(max(sets[token_set], key=lambda one: (one in alive, one)))
    return frozenset().union(*sets.values())


def _ended(
    ended: Sequence[LockedConnection], order: DisconnectRequest, now: datetime
) -> Iterator[Event]:
    for one in ended:
        yield _about(
            one,
            Action.ACCOUNT_DISCONNECTED,
            order,
            accountName=one.account_name,
            success=True,
            disconnectedAt=render_datetime(now),
        )


def _skipped(
    rows: Sequence[LockedConnection], decisions: Mapping[UUID, Decision], order: DisconnectRequest
) -> Iterator[Event]:
    for one in rows:
        decision = decisions[one.connection_id]
        if decision is not Decision.PENDING:
            yield _about(one, Action.TOKEN_REVOCATION_SKIPPED, order, result=decision)


def _about(
    one: LockedConnection, action: Action, order: DisconnectRequest, **details: Any
) -> Event:
    return event_about(one, action, app=SocialAccount.app, order=order, **details)
