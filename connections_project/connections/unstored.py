"""Tokens that have come and can't be stored, since the database fails just then.

The platform has spent the code, or the refresh token, for them, so storing them is tried once more;
where that fails too, nobody will ever hold them again, and they are revoked at once.
"""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from connections_project.core.instruments import UNSTORED_TOKENS
from connections_project.oauth.client import TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.platforms import client
from connections_project.platforms.registry import Upstream
from connections_project.revocation.release import can_revoke, ends_the_grant

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What a database says, or its driver of a value that nobody has foreseen.
FAILURES = (DatabaseError, InterfaceError, ArithmeticError, LookupError, TypeError, ValueError)
# Somebody waits for an answer, and has waited for the database twice.
SECONDS_TO_REVOKE = 5.0


def store_or_revoke(
    store: Callable[[], T], *, upstream: Upstream, tokens: Collection[TokenSet]
) -> T:
    """Store tokens that have come; where the database fails, once more, or have them revoked.

    Args:
        store: Stores them in a transaction of its own. It may be called twice, also where the first
            call's commit came through and only its confirmation was lost.
        tokens: What is lost where they can't be stored.

    Raises:
        DatabaseError, InterfaceError, or another: As `store` does, the second time.
    """
    try:
        return store()
    except FAILURES as error:
        _log("could not be stored, and are tried again", upstream, error)
    if not connection.in_atomic_block:
        # The next statement opens one anew: after a failover this one leads nowhere.
        connection.close()
    try:
        return store()
    except FAILURES as error:
        for each in tokens:
            outcome = _revoked(upstream, each)
            UNSTORED_TOKENS.labels(upstream.platform.slug, outcome).inc()
            _log(f"could not be stored: {outcome}", upstream, error)
        raise


def _revoked(upstream: Upstream, tokens: TokenSet) -> str:
    """Try to revoke, and return what became of it: "revoked", "failed" or "left"."""
    if not can_revoke(upstream) or ends_the_grant(upstream):
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
