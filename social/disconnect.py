"""Disconnect a social account: out of use at once, its tokens kept, and nothing sent anywhere.

An operator can also have the tokens erased and the grant revoked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit.events import Action
from audit.record import Event, Origin, record_many
from connections_project.connections.disconnect import (
    DisconnectRequest,
    DisconnectResult,
    change_rows,
    erase_tokens,
    tells_platform,
)
from connections_project.connections.errors import AlreadyDisconnectedError
from connections_project.core import clock
from connections_project.core.parsing import render_datetime
from connections_project.revocation.grants import holders_of
from connections_project.revocation.models import GrantHold
from connections_project.revocation.release import Decision, release_grants
from social.models import SocialAccount, Status
from social.selectors import team_account


def disconnect_own(*, account_id: UUID, team_id: UUID, origin: Origin) -> SocialAccount:
    """Disconnect a team's own account; not to be repeated (Social Media Disconnect API).

    Raises:
        ConnectionNotFoundError: Unknown, or another team's.
        AlreadyDisconnectedError: It is inactive already.
    """
    with transaction.atomic():
        rows = SocialAccount.objects.select_for_update()
        account = team_account(account_id, team_id=team_id, rows=rows)
        if account.is_disconnected:
            raise AlreadyDisconnectedError
        disconnect([account], DisconnectRequest(origin))
    return account


def disconnect(rows: Sequence[SocialAccount], request: DisconnectRequest) -> DisconnectResult:
    """Disconnect accounts that the caller has locked, in the caller's transaction.

    Of those that an earlier disconnect has taken out of use, only the kept tokens are erased.
    """
    erase = request.erase_tokens
    revoke = tells_platform(SocialAccount, revoke=request.revoke, erase_tokens=erase)
    shared = living_on_others_tokens(rows) if revoke else frozenset[UUID]()
    released = release_grants(rows, revoke=revoke, shared=shared)
    now = clock.now()
    ended = [row for row in rows if row.status != Status.DISCONNECTED]
    erased = [row for row in rows if erase and row.holds_tokens]
    if ended:
        change_rows(ended, now=now, **ended[0].disconnected_columns(now=now))
    erase_tokens(erased, now=now)
    record_many(
        [
            *(_ended(row, request, released.decisions[row.pk], now) for row in ended),
            *_skipped(rows, released.decisions, request),
            *(request.event(row, Action.ACCOUNT_TOKENS_ERASED) for row in erased),
        ]
    )
    return DisconnectResult(rows, job_ids=released.job_ids)


def _ended(
    row: SocialAccount, request: DisconnectRequest, decision: Decision, now: datetime
) -> Event:
    return request.event(
        row,
        Action.ACCOUNT_DISCONNECTED,
        notes={"revocation": decision},
        accountName=row.platform_account_name,
        success=True,
        disconnectedAt=render_datetime(now),
    )


def _skipped(
    rows: Sequence[SocialAccount], decisions: Mapping[UUID, Decision], request: DisconnectRequest
) -> Iterator[Event]:
    for row in rows:
        decision = decisions[row.pk]
        if decision is not Decision.PENDING:
            yield request.event(row, Action.TOKEN_REVOCATION_SKIPPED, result=decision)


def living_on_others_tokens(rows: Sequence[SocialAccount]) -> frozenset[UUID]:
    """Find those whose very tokens a live account has, or another one of the batch is revoked with.

    Locks all holders of the grants, so that of two that leave at once the second is the last.
    """
    same = SocialAccount.objects.filter(token_set__isnull=False)
    batch = {row.pk for row in rows}
    sets = defaultdict(set)
    for token_set, key in same.filter(pk__in=batch).values_list("token_set", "pk"):
        sets[token_set].add(key)
    if not sets:
        return frozenset()
    grants = {row.grant for row in rows if row.grant.platform_user_id is not None}
    alive = frozenset[UUID]().union(*holders_of(grants).values())
    is_live = Exists(GrantHold.objects.filter(connection_id=OuterRef("pk")))
    others = same.filter(is_live, token_set__in=sets).exclude(pk__in=batch)
    for token_set in set(sets) - set(others.values_list("token_set", flat=True)):
        sets[token_set].remove(max(sets[token_set], key=lambda one: (one in alive, one)))
    return frozenset().union(*sets.values())
