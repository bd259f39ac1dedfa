"""Publish on a team's account, and never twice under one `Idempotency-Key`."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.events import Action, Outcome
from audit.record import Origin
from connections_project.connections.errors import NotActiveError
from connections_project.connections.outbound_limits import reserve
from connections_project.connections.records import record_about
from connections_project.connections.refresh import mark_grant_dead, refreshed_for_use
from connections_project.core.storable import require_storable
from connections_project.oauth.errors import PlatformError, as_dead_grant, is_locked_out
from connections_project.oauth.forgiving import forgiving
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.post_rules import Publishing, require_valid
from connections_project.platforms.publishing import (
    Post,
    Published,
    PublishingUnsupportedError,
    PublishSession,
    is_surely_not_accepted,
)
from connections_project.platforms.registry import Upstream, usable
from social.errors import PublishFailedError, ReconnectNeededError
from social.models import SocialAccount
from social.publications import Claim, PublishRequest, claim
from social.selectors import team_account

# What a caller waits at most, beside a refresh; within it a platform must have fetched the image.
SECONDS_IN_ALL = 30.0


def publish_own(
    request: PublishRequest, *, team_id: UUID, origin: Origin
) -> tuple[SocialAccount, Published]:
    """Publish on a team's own account, or give what came of the same key before.

    Raises:
        ConnectionNotFoundError: Unknown, or another team's.
        NotActiveError: It is disconnected, or came to be so before anything was published.
        ReconnectNeededError: See there.
        PlatformUnavailableError: Suspended or not configured.
        RefreshFailedError, NoRefreshTokenError, BusyError, DecryptionError: See
            `refreshed_for_use`.
        InvalidPostError, PublishingUnsupportedError: The platform has no such posts, or none.
        PublishFailedError: See there; it is also what came of the same key before.
        KeyReusedError, StillSendingError, OutcomeUnknownError: See `claim`.
    """
    account = team_account(request.account_id, team_id=team_id)
    claimed = claim(request, team_id=team_id)
    if claimed.earlier is not None:
        return account, claimed.earlier
    _require_usable(account)
    upstream = usable(account.platform)
    _require_valid(request, upstream)
    reserve(account.platform)
    require_storable()
    row = refreshed_for_use(account, origin=origin)
    return row, _send(row, upstream, request, claimed, origin=origin)


def _require_usable(account: SocialAccount) -> None:
    if account.is_disconnected:
        raise NotActiveError
    if not account.is_active:
        raise ReconnectNeededError


def _require_valid(request: PublishRequest, upstream: Upstream) -> None:
    publishing = adapter_of(upstream.platform).publishing
    if publishing is None:
        raise PublishingUnsupportedError
    require_valid(
        upstream.platform, publishing, text=request.caption, image_url=request.image_url, options={}
    )


def _send(
    row: SocialAccount,
    upstream: Upstream,
    request: PublishRequest,
    claimed: Claim,
    *,
    origin: Origin,
) -> Published:
    post = Post(row.platform_account_id or "", request.caption, request.image_url)
    ends_at = time.monotonic() + SECONDS_IN_ALL
    session = PublishSession(
        upstream, row.opened(), ends_at, _still_active(row), before_sending=claimed.sending
    )
    try:
        published = _publish(row, post, session, claimed, origin=origin)
    except PlatformError as error:
        is_refused = error.permanent or is_surely_not_accepted(error)
        is_uncertain = session.is_sent and not is_refused
        _record_failure(row, error, claimed, is_uncertain=is_uncertain, origin=origin)
        raise PublishFailedError(is_uncertain=is_uncertain) from error
    with transaction.atomic():
        claimed.published(published)
        _record(row, origin=origin, postId=published.post_id)
    return published


def _publish(
    row: SocialAccount, post: Post, session: PublishSession, claimed: Claim, *, origin: Origin
) -> Published:
    """Publish; a refused access token is refreshed once (RFC 6750, section 3.1)."""
    platform = session.upstream.platform
    publishing = adapter_of(platform).publishing
    if publishing is None:
        raise PublishingUnsupportedError
    try:
        return _publish_once(publishing, session, post)
    except PlatformError as error:
        can_be_refreshed = row.has_refresh_token and platform.refresh != "self_exchange"
        if not is_locked_out(error) or not can_be_refreshed:
            raise
    # What was refused for its token has not gone out.
    session.is_sent = False
    claimed.not_sent()
    fresh = refreshed_for_use(row, origin=origin, force=True)
    row.epoch = fresh.epoch
    session.tokens = fresh.opened()
    return _publish_once(publishing, session, post)


def _publish_once(publishing: Publishing, session: PublishSession, post: Post) -> Published:
    with forgiving(session.upstream.platform.slug):
        return publishing.publish(session, post)


def _still_active(row: SocialAccount) -> Callable[[], None]:
    """Return the check that precedes each call: a disconnect that came meanwhile stops the post."""

    def require_active() -> None:
        same = SocialAccount.objects.usable().filter(pk=row.pk, connected_at=row.connected_at)
        if not same.exists():
            raise NotActiveError

    return require_active


def _record_failure(
    row: SocialAccount, error: PlatformError, claimed: Claim, *, is_uncertain: bool, origin: Origin
) -> None:
    with transaction.atomic():
        claimed.failed(is_uncertain=is_uncertain)
        outcome = Outcome.FAILURE
        current = SocialAccount.objects.select_for_update().get(pk=row.pk)
        if is_locked_out(error) and current.epoch == row.epoch:
            mark_grant_dead(current, as_dead_grant(error))
        _record(current, origin=origin, outcome=outcome, error=error.code, isUncertain=is_uncertain)


def _record(
    row: SocialAccount, *, origin: Origin, outcome: Outcome = Outcome.SUCCESS, **details: Any
) -> None:
    name = row.platform_account_name
    record_about(
        row, Action.ACCOUNT_PUBLISHED, origin=origin, outcome=outcome, accountName=name, **details
    )
