"""How connections are ended once more: as their disconnect, or their platform, had ended them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from audit.events import Outcome
from audit.record import record_many
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.connections.disconnect import DisconnectRequest, DisconnectResult
from connections_project.connections.records import event_about
from connections_project.connections.refresh import mark_grant_dead
from connections_project.connections.registry import (
    DISCONNECTED,
    Rows,
    actions_of,
    connection_type,
)
from connections_project.oauth.errors import DeadGrant
from connections_project.operations.replay_history import Way

# Who the platform's user was. A type that needs an account's id gives it one that names nobody.
STILL_NAMED = (
    Q(granting_user_id__isnull=False)
    | ~Q(platform_account_name="")
    | Q(platform_account_id__isnull=False) & ~Q(platform_account_id__startswith="erased:")
)


def unfinished(way: Way, ids: Sequence[UUID]) -> Rows:
    """Return those of one app that are not ended in this way yet."""
    target = connection_type(way.app)
    if way.becomes is not None:
        live = target.refresh_rules.live
        return target.rows.filter(status=live, pk__any_of=list(ids)).order_by()
    if way.sender is None:
        return target.unfinished(ids, erase_tokens=way.erases)
    left = Q(auth_state__isnull=False)
    if way.disconnects:
        left |= ~Q(status=DISCONNECTED)
    if way.forgets:
        left |= STILL_NAMED
    return target.rows.filter(left, pk__any_of=list(ids)).order_by()


def end(way: Way, rows: Sequence[Any], request: DisconnectRequest) -> DisconnectResult:
    """End locked rows as they were ended: by a disconnect, by their platform, or by both."""
    target = connection_type(way.app)
    if way.becomes is not None:
        _refuse(rows, way.becomes, request)
        return DisconnectResult(rows)
    if way.sender is None:
        return target.disconnect(rows, request)
    live = [row for row in rows if way.disconnects and row.status != DISCONNECTED]
    batch = target.disconnect(live, request) if live else DisconnectResult()
    mark_deauthorized(
        rows,
        origin=request.origin,
        sender=way.sender,
        forget_person=way.forgets,
        reason=request.reason,
        cause=request.cause,
        details=request.details,
    )
    return DisconnectResult(rows, batch.failures, batch.job_ids)


def _refuse(rows: Sequence[Any], becomes: str, request: DisconnectRequest) -> None:
    """Mark grants as dead; the tokens stay until the disconnect, as they did."""
    for row in rows:
        error = DeadGrant(platform=row.platform_slug, status=400, becomes=becomes)
        mark_grant_dead(row, error)
    record_many(
        event_about(
            row,
            actions_of(row.app).token_refresh_failed,
            origin=request.origin,
            outcome=Outcome.FAILURE,
            reason=request.reason,
            error="dead_grant",
            becomes=becomes,
            **request.details,
        )
        for row in rows
    )
