"""Check fresh tokens whose grant a revocation may have ended at the same time.

Where revoking one token ends the whole grant (`blast_radius = "grant"`), a revocation that found no
holder may reach the platform while the owner connects anew, and the fresh tokens die with the old
ones. Whichever finishes later checks: a connect looks for revocations, a revocation for holders.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError

from audit.record import WORKER, Origin
from connections_project.connections.callback import ValidatedFlow
from connections_project.connections.models import OAuthConnection
from connections_project.connections.open_questions import drop_noted, find_out, live_holders
from connections_project.oauth.deadline import allowing
from connections_project.revocation.grants import Grant, was_revoked_since
from connections_project.revocation.release import ends_the_grant

logger = logging.getLogger(__name__)

# The clocks of hosts differ by some seconds; one check too many does no harm.
LEEWAY = timedelta(seconds=10)
# Seconds that a request has for all that is asked; the rest is asked by background work.
LONGEST_CALLS = 10.0


def confirm_stored(flow: ValidatedFlow[Any], grant: Grant, *rows: OAuthConnection) -> None:
    """Mark what a flow has stored as dead, if a revocation beside it has ended the grant.

    Args:
        flow: The flow; what it brought is committed, with a question about it, which background
            work asks where the database fails here.
        rows: Where it was stored; they are read anew if anything is marked.
    """
    if not ends_the_grant(flow.upstream):
        return
    try:
        _confirm(flow, grant, rows)
    except (DatabaseError, InterfaceError) as error:
        # It is there: an error would say that nothing is done. This one's text may quote a row.
        slug, name = flow.upstream.platform.slug, type(error).__name__
        logger.warning("%s: what was connected is confirmed later (%s)", slug, name)


def _confirm(flow: ValidatedFlow[Any], grant: Grant, rows: Sequence[OAuthConnection]) -> None:
    platform = flow.upstream.platform.slug
    if not was_revoked_since(grant, flow.began - LEEWAY, platform=platform):
        drop_noted(grant, lease=flow.lease)
        return
    with allowing(within=LONGEST_CALLS, each=LONGEST_CALLS):
        confirm_holders(grant, origin=flow.origin)
    for row in rows:
        row.refresh_from_db()


def confirm_holders(grant: Grant, *, origin: Origin = WORKER) -> None:
    """Find out of each connection on a grant whether its tokens have outlived a revocation."""
    for rows in live_holders(grant):
        find_out(rows, origin=origin)
