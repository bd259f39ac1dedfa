"""Check fresh tokens whose grant a revocation may have ended at the same time.

Where revoking one token ends the whole grant (`blast_radius = "grant"`), a revocation that found no
holder may reach the platform while the owner connects anew, and the fresh tokens die with the old
ones. Whichever finishes later checks: a connect looks for revocations, a revocation for holders.
"""

from datetime import timedelta
from typing import Any

from audit.record import WORKER, Origin
from connections_project.connections.callback import ValidatedFlow
from connections_project.connections.models import OAuthConnection
from connections_project.connections.open_questions import find_out
from connections_project.connections.registry import connection_type
from connections_project.oauth.deadline import allowing
from connections_project.revocation.grants import Grant, holders_by_app, was_revoked_since
from connections_project.revocation.release import ends_the_grant

# The clocks of hosts differ by some seconds; one check too many does no harm.
LEEWAY = timedelta(seconds=10)
# Seconds that a request has for all that is asked; the rest is asked by background work.
LONGEST_CALLS = 10.0


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
        with allowing(within=LONGEST_CALLS, each=LONGEST_CALLS):
            confirm_holders(grant, origin=flow.origin)
        for row in rows:
            row.refresh_from_db()


def confirm_holders(grant: Grant, *, origin: Origin = WORKER) -> None:
    """Find out of each connection on a grant whether its tokens have outlived a revocation."""
    for app, ids in holders_by_app(grant).items():
        one = connection_type(app)
        rows = one.rows.filter(pk__in=ids, status=one.refresh_rules.live)
        find_out(list(rows.order_by("pk")), origin=origin)
