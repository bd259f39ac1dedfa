"""Refresh accounts' tokens, because they are about to be used or because their grant would end."""

from collections.abc import Iterable

from django.utils import timezone

from audit.events import Action, ActorType, Interface
from audit.record import Origin, record_many
from connections_project.connections import refresh as shared
from connections_project.connections.errors import NotActiveError
from connections_project.connections.records import event_about
from connections_project.connections.refresh import RefreshRules
from connections_project.connections.renewal import renew
from connections_project.oauth.client import TokenSet
from social.models import SocialAccount, Status

SYSTEM = Origin(ActorType.SYSTEM, None, Interface.WORKER)


def refreshed_for_use(
    account: SocialAccount, *, origin: Origin, force: bool = False
) -> SocialAccount:
    """Return an active account with an access token that lives long enough to be used.

    Args:
        account: As it was just read.
        origin: For the audit log.
        force: Also where the token seems good, since the platform has refused it.

    Raises:
        NotActiveError: It is disconnected, or its grant is known to be dead.
        NoRefreshTokenError, RefreshFailedError, BusyError, PlatformUnavailableError,
        DecryptionError: See `connections.refresh.refresh`.
    """
    leader = _leader(account)
    row, _ = shared.refresh(leader, rules=RULES, force=force, origin=origin)
    return row if row.pk == account.pk else _usable(account)


def _leader(account: SocialAccount) -> SocialAccount:
    """Return the one account of a token set that is refreshed for all, so that its refresh token is
    spent once, under one lease."""
    if account.token_set is None or account.status != Status.ACTIVE:
        return account
    together = SocialAccount.objects.usable().filter(token_set=account.token_set)
    return together.order_by("pk").first() or account


def _usable(account: SocialAccount) -> SocialAccount:
    row = SocialAccount.objects.usable().filter(pk=account.pk).first()
    if row is None:
        raise NotActiveError
    return row


def _share(row: SocialAccount, tokens: TokenSet) -> bool:
    """Store fresh tokens on the other active accounts of a set, which would keep spent ones.

    Disconnected ones keep what they had.
    """
    if row.token_set is None:
        return False
    rows = SocialAccount.objects.usable().filter(token_set=row.token_set).exclude(pk=row.pk)
    others = list(rows.select_for_update().order_by("pk"))
    for other in others:
        other.take_tokens(tokens, now=timezone.now())
        other.save()
    _record_recovered([other for other in others if other.attention_before])
    return bool(others)


def _record_recovered(rows: Iterable[SocialAccount]) -> None:
    """Record the refresh of those that needed attention until then; of the others the one event of
    their set tells."""
    record_many(
        event_about(row, Action.ACCOUNT_TOKEN_REFRESHED, origin=SYSTEM, cause="token_set")
        for row in rows
    )


RULES = RefreshRules(
    live=Status.ACTIVE,
    refreshable=frozenset({Status.ACTIVE}),
    dead={"expired": Status.EXPIRED, "revoked": Status.REVOKED},
    refreshed=Action.ACCOUNT_TOKEN_REFRESHED,
    failed=Action.ACCOUNT_TOKEN_REFRESH_FAILED,
    share=_share,
)


def renew_ending_grants() -> int:
    """Try to renew some of those that have lived half of their life; say how many were."""
    return renew(SocialAccount.objects.usable(), refreshed_for_use)
