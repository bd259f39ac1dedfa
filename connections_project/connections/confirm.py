"""Check fresh tokens whose grant a revocation may have ended at the same time.

Where revoking one token ends the whole grant (`blast_radius = "grant"`), a revocation that found no
holder may reach the platform while the owner connects anew, and the fresh tokens die with the old
ones. Whichever finishes later checks: a connect looks for revocations, a revocation for holders.
"""

from datetime import datetime, timedelta
from typing import Any

from audit.record import WORKER, Origin
from connections_project.connections.callback import ValidatedFlow
from connections_project.connections.models import OAuthConnection
from connections_project.connections.refresh import mark_dead_unless_changed
from connections_project.connections.registry import connection_type
from connections_project.core import clock
from connections_project.core.vault import DecryptionError
from connections_project.oauth.errors import DeadGrant, PlatformError, as_dead_grant, is_locked_out
from connections_project.platforms.client import identify
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import Grant, holders_by_app, was_revoked_since
from connections_project.revocation.release import ends_the_grant

# The clocks of hosts differ by some seconds; one check too many does no harm.
LEEWAY = timedelta(seconds=10)


def confirm_stored(flow: ValidatedFlow[Any], grant: Grant, *rows: OAuthConnection) -> None:
    """Mark what a flow has stored as dead, if a revocation beside it has ended the grant.

    Args:
        flow: The flow; what it brought is committed.
        rows: Where it was stored; they are read anew if anything is marked.
    """
    platform = flow.upstream.platform.slug
    if not ends_the_grant(flow.upstream):
        return
    if was_revoked_since(grant, flow.began - LEEWAY, platform=platform):
        confirm_holders(grant, origin=flow.origin)
        for row in rows:
            row.refresh_from_db()


def confirm_holders(grant: Grant, *, origin: Origin = WORKER) -> None:
    """Ask the platform, for each connection on a grant, whose account it is; a 401 ends it."""
    now = clock.now()
    for app, ids in holders_by_app(grant).items():
        one = connection_type(app)
        for row in one.rows.filter(pk__in=ids, status=one.refresh_rules.live):
            if _is_in_time(row, now):
                _confirm(row, origin)


def _is_in_time(row: OAuthConnection, now: datetime) -> bool:
    """Whether a refusal of the access token proves anything: it has not run out by itself."""
    return row.token_expires_at is None or row.token_expires_at > now


def _confirm(row: OAuthConnection, origin: Origin) -> None:
    if (dead := _refusal(row)) is not None:
        mark_dead_unless_changed(row, dead, origin=origin)


def _refusal(row: OAuthConnection) -> DeadGrant | None:
    found = upstream(row.platform_slug)
    if found is None:
        return None
    try:
        identify(found, row.opened())
    except DecryptionError:
        return None
    except PlatformError as error:
        return as_dead_grant(error) if is_locked_out(error) else None
    return None
