"""Refresh tokens (RFC 6749, section 6): on use, one at a time, never after a disconnect.

read → lease → call → lock → is it still the row that was read? → store, or revoke what is late
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from audit.events import Outcome
from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.errors import (
    NoRefreshTokenError,
    NotActiveError,
    RefreshFailedError,
)
from connections_project.connections.lease import (
    WAIT_SECONDS,
    give_back,
    longest_call,
    take_lease,
    wait_for_result,
)
from connections_project.connections.models import OAuthConnection
from connections_project.connections.outbound_limits import reserve
from connections_project.connections.records import record_about
from connections_project.connections.store_grant import lives_on
from connections_project.connections.unstored import store_or_revoke
from connections_project.oauth.client import TokenSet, UnusableTokensError
from connections_project.oauth.errors import DeadGrant, PlatformError
from connections_project.platforms import client
from connections_project.platforms.registry import Upstream, usable
from connections_project.revocation.grants import add_holder, remove_holders
from connections_project.revocation.release import revoke_unstored

C = TypeVar("C", bound=OAuthConnection)

LONGEST_MARGIN = timedelta(minutes=5)
# Why a connection needs its owner, by what the catalogue says that it becomes.
OF_DEAD_GRANT = {
    "expired": AttentionReason.GRANT_EXPIRED,
    "revoked": AttentionReason.GRANT_REVOKED,
}


@dataclass(frozen=True)
class RefreshRules:
    """An app's own words for what a refresh does to its connections.

    Args:
        live: The status of a connection that works, and to which a refresh leads.
        refreshable: The statuses in which a user may ask for a refresh.
        dead: What the catalogue's `becomes` is called in this app.
        refreshed: The audit action of a success.
        failed: The audit action of a failure.
        share: Gives fresh tokens, in the same transaction, to other connections that live on the
            same ones, and says whether there are any.
    """

    live: str
    refreshable: frozenset[str]
    dead: Mapping[str, str]
    refreshed: str
    failed: str
    share: Callable[[Any, TokenSet], bool] = lambda *_: False


def is_fresh(connection: OAuthConnection, *, now: datetime) -> bool:
    """Whether the access token lives longer than the smaller of 5 min and half its lifetime.

    One whose end the platform did not give counts as fresh.
    """
    issued, expires = connection.token_issued_at, connection.token_expires_at
    if issued is None or expires is None:
        return True
    return expires - now > min(LONGEST_MARGIN, (expires - issued) / 2)


def refresh(connection: C, *, rules: RefreshRules, force: bool, origin: Origin) -> tuple[C, bool]:
    """Refresh a connection that was just read, or share the refresh that is under way.

    Returns:
        The row as it stands now, and whether its token is a new one.

    Raises:
        NotActiveError: Its status does not allow a refresh, or a disconnect won.
        NoRefreshTokenError: Forced, and there is nothing to refresh with.
        PlatformUnavailableError: Suspended or not configured; or see `outbound.reserve`.
        RefreshFailedError: The platform failed, or the grant is dead.
        BusyError: Somebody else's refresh took too long.
        DecryptionError: No key reads the stored tokens.
    """
    if connection.status not in rules.refreshable:
        raise NotActiveError
    upstream = usable(connection.platform_slug)
    if not force and _may_be_left_alone(connection, rules):
        return connection, False
    if not connection.has_refresh_token:
        raise NoRefreshTokenError
    reserve(connection.platform_slug)
    return _lead_or_follow(connection, upstream, rules=rules, origin=origin), True


def _may_be_left_alone(connection: OAuthConnection, rules: RefreshRules) -> bool:
    if not connection.has_refresh_token:
        return True
    return connection.status == rules.live and is_fresh(connection, now=timezone.now())


def _lead_or_follow(connection: C, upstream: Upstream, *, rules: RefreshRules, origin: Origin) -> C:
    patience_ends = time.monotonic() + WAIT_SECONDS
    while (lease := take_lease(connection)) is None:
        row = wait_for_result(connection, until=patience_ends)
        if row.epoch != connection.epoch:
            return _shared(row, rules)
        if row.refresh_leased_until is None:
            # The one who refreshed gave the lease back without a result: so it failed for all.
            raise RefreshFailedError
    try:
        return _lead(connection, upstream, rules=rules, origin=origin)
    finally:
        give_back(connection, lease)


def _shared(row: C, rules: RefreshRules) -> C:
    """Return the row as another process's refresh, or a disconnect, has left it."""
    if row.status == rules.live:
        return row
    if row.status in rules.dead.values():
        raise RefreshFailedError
    raise NotActiveError


def _lead(connection: C, upstream: Upstream, *, rules: RefreshRules, origin: Origin) -> C:
    old = connection.opened()
    try:
        tokens = client.refresh(upstream, old, within=longest_call())
    except PlatformError as error:
        came = error.tokens if isinstance(error, UnusableTokensError) else old
        settle = partial(_fail, connection, old, error, rules=rules, origin=origin)
    else:
        came = tokens
        settle = partial(_store, connection, old, tokens, rules=rules, origin=origin)
    # Where the stored refresh token is still the one to use, nothing is lost but time.
    is_rotated = came.refresh_token not in {None, old.refresh_token}
    return store_or_revoke(settle, upstream=upstream, tokens=[came] if is_rotated else [])


def _store(
    connection: C, old: TokenSet, tokens: TokenSet, *, rules: RefreshRules, origin: Origin
) -> C:
    kept = tokens.completed_by(old)
    with transaction.atomic():
        row = _lock(connection)
        if row.epoch == connection.epoch:
            _save_refreshed(row, kept, rules=rules, origin=origin)
            return row
        _revoke_late(row, old, tokens, rules=rules, origin=origin)
    return _shared(row, rules)


def _revoke_late(
    row: OAuthConnection, old: TokenSet, tokens: TokenSet, *, rules: RefreshRules, origin: Origin
) -> None:
    """Revoke tokens that came for a row that has changed, unless somebody lives on them."""
    kept = tokens.completed_by(old)
    # A row that was authorised anew meanwhile may live on the old refresh token.
    # So does one whose commit came through unheard.
    if lives_on(row, tokens):
        return
    is_idle = row.auth_state is None or tokens.refresh_token not in {None, old.refresh_token}
    if not rules.share(row, kept) and is_idle:
        revoke_unstored(row.token_bundle(kept), origin=origin)


def _save_refreshed(
    row: OAuthConnection, tokens: TokenSet, *, rules: RefreshRules, origin: Origin
) -> None:
    row.take_tokens(tokens, now=timezone.now())
    row.status = rules.live
    row.save()
    add_holder(row.grant, app=row.app, connection_id=row.pk)
    rules.share(row, tokens)
    record_about(row, rules.refreshed, origin=origin)


def _fail(
    connection: C, old: TokenSet, error: PlatformError, *, rules: RefreshRules, origin: Origin
) -> C:
    """Record a failure, unless the row has changed meanwhile: then that is the result."""
    with transaction.atomic():
        row = _lock(connection)
        is_current = row.epoch == connection.epoch
        if isinstance(error, UnusableTokensError) and is_current:
            _keep(row, old, error.tokens, rules)
        elif isinstance(error, UnusableTokensError):
            _revoke_late(row, old, error.tokens, rules=rules, origin=origin)
        elif is_current:
            _mark_failed(row, error, rules)
        record_about(row, rules.failed, origin=origin, outcome=Outcome.FAILURE, error=error.code)
    if is_current:
        raise RefreshFailedError from error
    return _shared(row, rules)


def _keep(row: OAuthConnection, old: TokenSet, tokens: TokenSet, rules: RefreshRules) -> None:
    """Store what can be read of an answer that is malformed: the old refresh token may be spent.

    Without a new access token the old one is taken to have run out.
    """
    kept = replace(
        tokens.completed_by(old),
        access_token=tokens.access_token or old.access_token,
        expires_in=None if tokens.access_token else 0,
    )
    row.take_tokens(kept, now=timezone.now())
    row.save()
    rules.share(row, kept)


def _mark_failed(row: OAuthConnection, error: PlatformError, rules: RefreshRules) -> None:
    if isinstance(error, DeadGrant):
        mark_grant_dead(row, error, rules)
    elif error.code == "refused" and row.status == rules.live:
        # It will be refused again; the status tells of the grant, which may still stand.
        row.need_attention(AttentionReason.PLATFORM_ERROR, now=timezone.now())
        row.save(update_fields=["attention_reason", "attention_since", "ending_notice_at"])


def mark_dead_unless_changed(
    connection: OAuthConnection, error: DeadGrant, *, rules: RefreshRules, origin: Origin
) -> None:
    """Mark a grant dead that a platform's API rejected, unless the row has changed since.

    Args:
        connection: As it was when its token was used.
        error: What the API said.
        rules: The app's words.
        origin: Who used the token.
    """
    with transaction.atomic():
        row = _lock(connection)
        if row.epoch == connection.epoch:
            mark_grant_dead(row, error, rules)
            record_about(
                row, rules.failed, origin=origin, outcome=Outcome.FAILURE, error=error.code
            )


def mark_grant_dead(row: OAuthConnection, error: DeadGrant, rules: RefreshRules) -> None:
    """Mark the grant of a locked row as dead; its tokens are kept until the disconnect, since one
    may live on."""
    now = timezone.now()
    row.lose_grant(rules.dead[error.becomes])
    row.need_attention(OF_DEAD_GRANT[error.becomes], now=now)
    row.changed(now=now)
    row.save()
    remove_holders(row.pk)


def _lock(connection: C) -> C:
    return type(connection)._default_manager.select_for_update().get(pk=connection.pk)
