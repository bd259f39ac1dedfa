"""How accounts are refreshed: those of a token set together, by one of them."""

from collections.abc import Iterable

from audit.events import Action
from audit.record import WORKER, record_many
from connections_project.connections.records import event_about
from connections_project.connections.registry import RefreshRules
from connections_project.core import clock
from connections_project.oauth.client import TokenSet
from social.models import SocialAccount, Status
from social.store_grant import save_all


def _leader(account: SocialAccount) -> SocialAccount:
    """Return the one account of a token set that is refreshed for all, so that its refresh token is
    spent once, under one lease."""
    if account.token_set is None or account.status != Status.ACTIVE:
        return account
    together = SocialAccount.objects.usable().filter(token_set=account.token_set)
    return together.order_by("pk").first() or account


def _share(row: SocialAccount, tokens: TokenSet) -> bool:
    """Store fresh tokens on the other active accounts of a set, which would keep spent ones.

    Disconnected ones keep what they had.
    """
    if row.token_set is None:
        return False
    rows = SocialAccount.objects.usable().filter(token_set=row.token_set).exclude(pk=row.pk)
    others = list(rows.select_for_update().order_by("pk"))
    for other in others:
        other.take_tokens(tokens, now=clock.now())
    save_all(others)
    _record_recovered([other for other in others if other.attention_before])
    return bool(others)


def _record_recovered(rows: Iterable[SocialAccount]) -> None:
    """Record the refresh of those that needed attention until then; of the others the one event of
    their set tells."""
    record_many(
        event_about(row, Action.ACCOUNT_TOKEN_REFRESHED, origin=WORKER, cause="token_set")
        for row in rows
    )


RULES = RefreshRules(
    live=Status.ACTIVE,
    refreshable=frozenset({Status.ACTIVE}),
    dead={"expired": Status.EXPIRED, "revoked": Status.REVOKED},
    leader=_leader,
    share=_share,
)
