"""Refresh tokens (RFC 6749, section 6): on use, one at a time, never after a disconnect.

read → lease → call → lock → is it still the row that was read? → store, or revoke what is late
"""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction

from audit.events import Outcome
from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.errors import (
    BusyError,
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
from connections_project.connections.registry import actions_of, refresh_rules_of
from connections_project.connections.store_grant import lives_on, revoke_access_token
from connections_project.connections.unstored import lost_by_refresh, store_or_revoke
from connections_project.core import clock
from connections_project.oauth.client import TokenSet, UnusableTokensError
from connections_project.oauth.errors import DeadGrant, PlatformError
from connections_project.platforms import client
from connections_project.platforms.registry import Upstream, usable
from connections_project.revocation.grants import add_holder, remove_holders
from connections_project.revocation.release import revoke_unstored

C = TypeVar("C", bound=OAuthConnection)

LONGEST_MARGIN = timedelta(minutes=5)
# Why a connection needs its owner, by what the catalogue says that it becomes.
OF_DEAD_GRANT = {"expired": AttentionReason.GRANT_EXPIRED, "revoked": AttentionReason.GRANT_REVOKED}


def is_fresh(connection: OAuthConnection, *, now: datetime) -> bool:
    """Whether the access token lives longer than the smaller of 5 min and half its lifetime.

    One whose end the platform did not give counts as fresh.
    """
    issued, expires = connection.token_issued_at, connection.token_expires_at
    if issued is None or expires is None:
        return True
    return expires - now > min(LONGEST_MARGIN, (expires - issued) / 2)


def refresh(connection: C, *, force: bool, origin: Origin) -> tuple[C, bool]:
    """Refresh a connection that was just read, or share the refresh that is under way.

    Returns:
        The row as it stands now, and whether its token is a new one.

    Raises:
        NotActiveError: Its status does not allow a refresh, or a disconnect won.
        NoRefreshTokenError: Forced, and there is nothing to refresh with.
        PlatformUnavailableError: Suspended or not configured; or see `outbound_limits.reserve`.
        RefreshFailedError: The platform failed, or the grant is dead.
        BusyError: Somebody else's refresh took too long.
        DecryptionError: No key reads the stored tokens.
    """
    if connection.status not in refresh_rules_of(connection).refreshable:
        raise NotActiveError
    upstream = usable(connection.platform_slug)
    if not force and _may_be_left_alone(connection):
        return connection, False
    if not connection.has_refresh_token:
        raise NoRefreshTokenError
    reserve(connection.platform_slug)
    return _lead_or_follow(connection, upstream, origin=origin), True


def refreshed_for_use(connection: C, *, origin: Origin, force: bool = False) -> C:
    """Return a live connection with an access token that lives long enough to be used.

    Args:
        connection: As it was just read.
        force: Also where the token seems good, since the platform has refused it.

    Raises:
        As `refresh`.
    """
    rules = refresh_rules_of(connection)
    leader: C = rules.leader(connection)
    row, _ = refresh(leader, force=force, origin=origin)
    if row.pk == connection.pk:
        return row
    live = type(connection)._default_manager.filter(pk=connection.pk, status=rules.live).first()
    if live is None:
        raise NotActiveError
    return live


def _may_be_left_alone(connection: OAuthConnection) -> bool:
    if not connection.has_refresh_token:
        return True
    is_live = connection.status == refresh_rules_of(connection).live
    return is_live and is_fresh(connection, now=clock.now())


def _lead_or_follow(connection: C, upstream: Upstream, *, origin: Origin) -> C:
    began = time.monotonic()
    patience_ends = began + WAIT_SECONDS
    while (lease := take_lease(connection)) is None:
        row = wait_for_result(connection, until=patience_ends)
        if row.epoch != connection.epoch:
            return _shared(row)
        if row.refresh_leased_until is None:
            # The one who refreshed gave the lease back without a result: so it failed for all.
            raise RefreshFailedError
        began = time.monotonic()
    try:
        return _lead(connection, upstream, ends_at=began + longest_call(), origin=origin)
    finally:
        give_back(connection, lease)


def _shared(row: C) -> C:
    """Return the row as another process's refresh, or a disconnect, has left it."""
    rules = refresh_rules_of(row)
    if row.status == rules.live:
        return row
    if row.status in rules.dead.values():
        raise RefreshFailedError
    raise NotActiveError


def _lead(connection: C, upstream: Upstream, *, ends_at: float, origin: Origin) -> C:
    """Refresh under a lease; `ends_at`, on the monotonic clock: when the call must be over."""
    old = connection.opened()
    within = ends_at - time.monotonic()
    if within <= 0:
        # The process has stood still: somebody else may have the lease, and spend the token.
        raise BusyError
    try:
        tokens = client.refresh(upstream, old, within=within)
    except PlatformError as error:
        came = error.tokens if isinstance(error, UnusableTokensError) else old
        settle = partial(_fail, connection, old, error, origin=origin)
    else:
        came = tokens
        settle = partial(_store, connection, old, tokens, origin=origin)
    lost = lost_by_refresh(upstream, old, came)
    grant = connection.grant
    return store_or_revoke(settle, upstream=upstream, row=connection, grant=grant, tokens=lost)


def _store(connection: C, old: TokenSet, tokens: TokenSet, *, origin: Origin) -> C:
    kept = tokens.completed_by(old)
    with transaction.atomic():
        row = _lock(connection)
        if row.epoch == connection.epoch:
            _save_refreshed(row, kept, origin=origin)
            return row
        _revoke_late(connection, row, old, tokens, origin=origin)
    return _shared(row)


def _revoke_late(connection: C, row: C, old: TokenSet, tokens: TokenSet, *, origin: Origin) -> None:
    """Revoke tokens that came for a row that has changed, unless a connection uses them.

    Args:
        connection: As it was before; those that shared its tokens then are given these.
        row: As it is now. It uses them where only the confirmation of their commit was lost, and
            may use the old refresh token, or have got the same one, where it was authorised anew.
    """
    kept = tokens.completed_by(old)
    late = replace(kept, extras={})
    if lives_on(row, replace(late, refresh_token=None)):
        return
    is_rotated = kept.refresh_token != old.refresh_token
    brings_any = bool(tokens.access_token) or is_rotated
    if brings_any and refresh_rules_of(row).share(connection, kept):
        return
    # What came beside them is the old ones' own: whoever has replaced those has seen to it.
    if row.auth_state is None or (is_rotated and not lives_on(row, late)):
        revoke_unstored(row.token_bundle(late), origin=origin)
    else:
        revoke_access_token(row, late, holder=row, origin=origin)


def _save_refreshed(row: OAuthConnection, tokens: TokenSet, *, origin: Origin) -> None:
    rules = refresh_rules_of(row)
    row.take_tokens(tokens, now=clock.now())
    row.status = rules.live
    row.save()
    add_holder(row.grant, app=row.app, connection_id=row.pk)
    rules.share(row, tokens)
    record_about(row, actions_of(row.app).token_refreshed, origin=origin)


def _fail(connection: C, old: TokenSet, error: PlatformError, *, origin: Origin) -> C:
    """Record a failure, unless the row has changed meanwhile: then that is the result."""
    with transaction.atomic():
        row = _lock(connection)
        is_current = row.epoch == connection.epoch
        if isinstance(error, UnusableTokensError) and is_current:
            _keep(row, old, error.tokens)
        elif isinstance(error, UnusableTokensError):
            _revoke_late(connection, row, old, error.tokens, origin=origin)
        elif is_current:
            _mark_failed(row, error)
        _record_failure(row, error, origin=origin, is_current=is_current)
    if is_current:
        raise RefreshFailedError from error
    return _shared(row)


def _keep(row: OAuthConnection, old: TokenSet, tokens: TokenSet) -> None:
    """Store what can be read of an answer that is malformed: the old refresh token may be spent.

    Without a new access token the old one is taken to have run out.
    """
    kept = replace(
        tokens.completed_by(old),
        access_token=tokens.access_token or old.access_token,
        expires_in=None if tokens.access_token else 0,
    )
    row.take_tokens(kept, now=clock.now())
    row.save()
    refresh_rules_of(row).share(row, kept)


def _mark_failed(row: OAuthConnection, error: PlatformError) -> None:
    if isinstance(error, DeadGrant):
        mark_grant_dead(row, error)
    elif error.code == "refused" and row.status == refresh_rules_of(row).live:
        # It will be refused again; the status tells of the grant, which may still stand.
        _need_owner(row)


def _need_owner(row: OAuthConnection) -> None:
    row.need_attention(AttentionReason.PLATFORM_ERROR, now=clock.now())
    row.save(update_fields=["attention_reason", "attention_since", "ending_notice_at"])


def mark_dead_unless_changed(
    connection: OAuthConnection, error: DeadGrant, *, origin: Origin
) -> bool:
    """Mark a grant dead that a platform's API rejected, unless the row has changed since.

    Args:
        connection: As it was when its token was used.

    Returns:
        Whether the row was still the same.
    """
    with transaction.atomic():
        row = _lock(connection)
        if is_same := row.epoch == connection.epoch:
            mark_grant_dead(row, error)
            _record_failure(row, error, origin=origin)
    return is_same


def mark_unconfirmed_unless_changed(connection: OAuthConnection, *, origin: Origin) -> bool:
    """Have the owner see to a connection of which nobody can tell whether its tokens are good.

    Returns:
        Whether the row was still the same.
    """
    with transaction.atomic():
        row = _lock(connection)
        if is_same := row.epoch == connection.epoch:
            _need_owner(row)
            failed = actions_of(row.app).token_refresh_failed
            outcome, word = Outcome.FAILURE, "unconfirmed"
            record_about(row, failed, origin=origin, outcome=outcome, error=word)
    return is_same


def mark_grant_dead(row: OAuthConnection, error: DeadGrant) -> None:
    """Mark the grant of a locked row as dead; its tokens are kept until the disconnect, since one
    may live on."""
    now = clock.now()
    row.lose_grant(refresh_rules_of(row).dead[error.becomes])
    row.need_attention(OF_DEAD_GRANT[error.becomes], now=now)
    row.changed(now=now)
    row.save()
    remove_holders(row.pk)


def _record_failure(
    row: OAuthConnection, error: PlatformError, *, origin: Origin, is_current: bool = True
) -> None:
    failed = actions_of(row.app).token_refresh_failed
    # A replay after a restore has to know, also that a row which had changed meanwhile lives on.
    becomes: dict[str, Any] = {}
    if isinstance(error, DeadGrant):
        becomes["becomes"] = error.becomes if is_current else "unchanged"
    record_about(row, failed, origin=origin, outcome=Outcome.FAILURE, error=error.code, **becomes)


def _lock(connection: C) -> C:
    return type(connection)._default_manager.select_for_update().get(pk=connection.pk)
