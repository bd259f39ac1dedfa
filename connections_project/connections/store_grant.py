"""Store what a flow has brought, or have it revoked: the steps that all apps' settling is made of.

Every function expects to stand in its caller's transaction, with the rows locked.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from audit.events import Outcome
from audit.record import Origin
from connections_project.connections.errors import ConnectionProblem
from connections_project.connections.models import OAuthConnection
from connections_project.connections.records import record_about
from connections_project.connections.registry import actions_of, refresh_rules_of
from connections_project.core import clock
from connections_project.core.vault import DecryptionError
from connections_project.identity.models import User
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.adapter import has_extras
from connections_project.platforms.registry import Upstream, upstream
from connections_project.revocation.grants import Grant, add_holder
from connections_project.revocation.in_use import spares_refresh_token, takes_access_token
from connections_project.revocation.release import (
    Decision,
    TokenBundle,
    ends_the_grant,
    revoke_unstored,
    revoke_unstored_extras,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReceivedGrant:
    """Tokens that have just come for one account.

    Args:
        upstream: Where they come from.
        tokens: The account's own.
        granted_by: The platform user who gave it, where the app knows better than `identity`.
    """

    upstream: Upstream
    tokens: TokenSet
    identity: Identity
    granted_by: str | None = None

    @property
    def grant(self) -> Grant:
        client_id = self.upstream.registration.client_id
        return Grant(
            self.upstream.authority, client_id, self.granted_by or self.identity.grantor_id
        )

    def is_for(self, row: OAuthConnection) -> bool:
        """Whether these are tokens of the row's own account, from the same client."""
        account_id = self.identity.account_id
        issuer = (self.upstream.authority, self.upstream.registration.client_id)
        same_account = account_id is not None and account_id == row.platform_account_id
        return same_account and issuer == (row.authority, row.client_id)


G = TypeVar("G", bound=ReceivedGrant)


def lock_owner(user_id: UUID) -> User:
    """Lock a user, so that one grant is stored at a time: of two the second finds the first."""
    return User.objects.select_for_update(no_key=True).get(pk=user_id)


def store(row: OAuthConnection, received: ReceivedGrant, *, origin: Origin, **details: Any) -> None:
    """Store the grant that came in a row; the caller has set whatever else changes with it.

    Args:
        row: It may be a new one, or one with tokens that these replace.
        details: What else the audit log shall know.
    """
    take_grant(row, received, origin=origin)
    row.save()
    add_holder(row.grant, app=row.app, connection_id=row.pk)
    record_about(row, actions_of(row.app).connected, origin=origin, **details)


def take_grant(row: OAuthConnection, received: ReceivedGrant, *, origin: Origin) -> None:
    """Put received tokens into a row, which the caller saves; release those they replace."""
    received = with_stored_refresh_token(row, received)
    _release_replaced(row, received, origin=origin)
    row.take_grant(
        received.tokens,
        received.identity,
        upstream=received.upstream,
        granted_by=received.granted_by,
        now=clock.now(),
    )


def with_stored_refresh_token(row: OAuthConnection, received: G) -> G:
    """Keep the refresh token of a row for a grant that came without one, if it is the same account.

    Some platforms hand one out with the first consent alone; it goes on being good.
    """
    if received.tokens.refresh_token is not None or not received.is_for(row):
        return received
    if row.auth_state is None or not row.has_refresh_token:
        return received
    try:
        kept = row.opened().refresh_token
    except DecryptionError:
        return received
    return replace(received, tokens=replace(received.tokens, refresh_token=kept))


def _release_replaced(row: OAuthConnection, received: ReceivedGrant, *, origin: Origin) -> None:
    """Revoke the tokens that fresh ones replace, where that ends nothing else, and what came beside
    them in any case."""
    revocation = received.upstream.platform.revocation
    if row.auth_state is None:
        return
    is_single = revocation is not None and revocation.blast_radius == "token"
    if is_single and not lives_on(row, received.tokens):
        revoke_unstored(row.token_bundle(), origin=origin)
    else:
        drop_extras(row.token_bundle(), row, received.tokens, origin=origin)


def drop_extras(
    bundle: TokenBundle, row: OAuthConnection, tokens: TokenSet, *, origin: Origin
) -> None:
    """Revoke what came beside dropped tokens, which themselves live on.

    Args:
        bundle: What is dropped: the row's own, or `tokens`.
        tokens: What has come for its account. What both came with is in use, and stays.
    """
    if has_extras(bundle.platform_slug):
        own = _readable(row)
        if own is not None and own.extras != tokens.extras:
            revoke_unstored_extras(bundle, origin=origin)


def lives_on(row: OAuthConnection, tokens: TokenSet) -> bool:
    """Whether one of these tokens, or what came beside them, is the row's own, or may be.

    Some platforms hand out the same token again, which then must live.
    """
    if row.auth_state is None:
        return False
    own = _readable(row)
    if own is None:
        return True
    fresh = {tokens.access_token, tokens.refresh_token} - {None}
    same_extras = bool(tokens.extras) and tokens.extras == own.extras
    return same_extras or bool(fresh & {own.access_token, own.refresh_token})


def revoke_access_token(
    row: OAuthConnection,
    tokens: TokenSet,
    *,
    holder: OAuthConnection,
    origin: Origin,
    grant: Grant | None = None,
) -> Decision:
    """Revoke an access token alone, where that ends nothing that a connection lives on.

    Args:
        holder: A connection that may use the refresh token beside it.
    """
    alone = replace(tokens, refresh_token=None, extras={})
    if lives_on(holder, alone) or not _ends_alone(alone, tokens, holder):
        return Decision.SHARED_GRANT
    return revoke_unstored(row.token_bundle(alone, grant=grant), origin=origin)


def _ends_alone(alone: TokenSet, tokens: TokenSet, holder: OAuthConnection) -> bool:
    found = upstream(holder.platform_slug)
    if not alone.access_token or found is None or not takes_access_token(found):
        return False
    if holder.status != refresh_rules_of(holder).live:
        return True
    refresh_token = replace(tokens, access_token="", extras={})
    is_in_use = lives_on(holder, refresh_token)
    return not ends_the_grant(found) and (spares_refresh_token(found) or not is_in_use)


def _readable(row: OAuthConnection) -> TokenSet | None:
    try:
        return row.opened()
    except DecryptionError:
        logger.warning("No key reads the credentials of %s: nothing is revoked for it", row.pk)
        return None


def refuse(
    problem: ConnectionProblem,
    row: OAuthConnection,
    received: ReceivedGrant,
    *,
    same: OAuthConnection | None,
    origin: Origin,
) -> ConnectionProblem:
    """Revoke tokens that came for a row which must not have them, and record that.

    Args:
        row: What they came for, saved or not.
        same: A connection to the same account, which may live on the same tokens.

    Returns:
        The problem, to be raised after the commit.
    """
    record_about(
        row,
        actions_of(row.app).connection_failed,
        origin=origin,
        outcome=Outcome.FAILURE,
        error=problem.code,
        revocation=_revoke_received(row, received, same, origin=origin),
    )
    return problem


def _revoke_received(
    row: OAuthConnection, received: ReceivedGrant, same: OAuthConnection | None, *, origin: Origin
) -> Decision:
    bundle = row.token_bundle(received.tokens, grant=received.grant)
    if same is not None and lives_on(same, received.tokens):
        drop_extras(bundle, same, received.tokens, origin=origin)
        tokens, grant = received.tokens, received.grant
        return revoke_access_token(row, tokens, holder=same, grant=grant, origin=origin)
    return revoke_unstored(bundle, origin=origin)
