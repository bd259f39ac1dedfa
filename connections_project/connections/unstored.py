"""Tokens that have come and can't be stored, since the database fails just then.

The platform has spent the code, or the refresh token, for them, so storing them is tried once more;
where that fails too, nobody will ever hold them again, and they are revoked at once, but for what a
live connection has too.
"""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from connections_project.connections.models import OAuthConnection
from connections_project.core.instruments import UNSTORED_TOKENS
from connections_project.core.vault import DecryptionError
from connections_project.oauth.client import TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.platforms import client
from connections_project.platforms.registry import Upstream
from connections_project.revocation.grants import Grant
from connections_project.revocation.in_use import ends_alone, without_those_in_use
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.release import can_revoke, ends_the_grant

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What a database says, or its driver of a value that nobody has foreseen.
FAILURES = (DatabaseError, InterfaceError, ArithmeticError, LookupError, TypeError, ValueError)
# Somebody waits for an answer, and has waited for the database twice.
SECONDS_TO_REVOKE = 5.0


def store_or_revoke(
    store: Callable[[], T],
    *,
    upstream: Upstream,
    row: OAuthConnection,
    grant: Grant,
    tokens: Collection[TokenSet],
) -> T:
    """Store tokens that have come; where the database fails, once more, or have them revoked.

    Args:
        store: Stores them in a transaction of its own. It may be called twice, also where the first
            call's commit came through and only its confirmation was lost.
        upstream: Where they come from.
        row: What they are for, saved or not.
        tokens: What is lost where they can't be stored.

    Raises:
        DatabaseError, InterfaceError, or another: As `store` does, the second time.
    """
    try:
        return store()
    except FAILURES as error:
        _log("could not be stored, and are tried again", upstream, error)
    _connect_anew()
    try:
        return store()
    except FAILURES as error:
        _connect_anew()
        for each in tokens:
            outcome = _revoked(upstream, _unused(upstream, row, grant, each))
            UNSTORED_TOKENS.labels(upstream.platform.slug, outcome).inc()
            _log(f"could not be stored: {outcome}", upstream, error)
        raise


def lost_by_refresh(upstream: Upstream, old: TokenSet, came: TokenSet) -> list[TokenSet]:
    """Return which tokens of a refresh are lost if they can't be stored.

    Where the stored refresh token is still the one to use, that is the access token alone; and none
    where the stored one would end with it. What came beside them is as before.

    Args:
        upstream: Where they come from.
        came: Those that have come, if any.
    """
    if came.refresh_token not in {None, old.refresh_token}:
        return [replace(came, extras={})]
    is_fresh = came.access_token not in {"", old.access_token, old.refresh_token}
    return [_alone(came)] if is_fresh and ends_alone(upstream) else []


def _connect_anew() -> None:
    if not connection.in_atomic_block:
        # The next statement opens one: after a failover this one leads nowhere.
        connection.close()


def _unused(upstream: Upstream, row: OAuthConnection, grant: Grant, tokens: TokenSet) -> TokenSet:
    """Return those that no live connection has, as far as that can be looked up now."""
    job = RevocationJob(
        app=row.app,
        platform=row.platform_slug,
        connection_id=row.pk,
        owner_id=row.responsible_id,
        authority=grant.authority,
        client_id=grant.client_id,
        platform_user_id=grant.platform_user_id,
    )
    try:
        return without_those_in_use(job, upstream, tokens)
    except (DecryptionError, *FAILURES):
        # One that never changes may be in use; one that does was used by nobody yet.
        return _alone(tokens) if upstream.platform.refresh == "static" else tokens


def _alone(tokens: TokenSet) -> TokenSet:
    return replace(tokens, refresh_token=None, extras={})


def _revoked(upstream: Upstream, tokens: TokenSet) -> str:
    """Try to revoke, and return what became of it: "revoked", "failed" or "left"."""
    is_in_use = not tokens.access_token and tokens.refresh_token is None
    if is_in_use or not can_revoke(upstream) or ends_the_grant(upstream):
        # Who else lives on the grant can't be looked up now, and a new consent is on the same one.
        # What came beside the tokens is nobody else's.
        with suppress(PlatformError):
            client.revoke_extras(upstream, tokens, within=SECONDS_TO_REVOKE)
        return "left"
    try:
        client.revoke(upstream, tokens, within=SECONDS_TO_REVOKE)
    except PlatformError:
        return "failed"
    return "revoked"


def _log(what: str, upstream: Upstream, error: Exception) -> None:
    # An error's text may quote a row.
    logger.error("Tokens of %s %s (%s)", upstream.platform.slug, what, type(error).__name__)
