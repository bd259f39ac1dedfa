"""End connections whose grant is over at the platform, so that no token is revoked there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from audit.events import Action
from audit.record import Event, Origin, record_many
from connections_project.connections.attention import AttentionReason
from connections_project.connections.disconnect import erase_tokens
from connections_project.connections.models import OAuthConnection
from connections_project.connections.records import event_about
from connections_project.connections.registry import DISCONNECTED
from connections_project.core import clock
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.grants import remove_holders
from connections_project.revocation.release import revoke_extras


def mark_deauthorized(
    rows: Sequence[OAuthConnection],
    *,
    origin: Origin,
    sender: str,
    forget_person: bool = False,
    reason: str = "",
    cause: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """End connections that the caller has locked, in the caller's transaction.

    Args:
        rows: Whatever their status; one that is over loses what it still holds.
        origin: The platform, or who does once more what a platform has reported.
        sender: The kind of notice that reports it.
        forget_person: Whether the platform user's name and ids go too.
        reason, cause, details: As those of a `DisconnectRequest`.
    """
    before: list[dict[str, Any]] = [
        {
            "cause": cause,
            "was_over": row.status == DISCONNECTED,
            "had_credentials": row.holds_tokens,
        }
        for row in rows
    ]
    # What came beside the tokens may outlive the grant.
    by_app = groupby(rows, key=lambda row: row.app)
    job_ids = [pk for _, same in by_app for pk in revoke_extras(list(same))]
    dispatch_revocations(job_ids, interface=origin.interface)
    _change(rows, now=clock.now(), forget_person=forget_person)
    remove_holders(*(row.pk for row in rows))
    told = {"sender": sender, "profile_erased": forget_person, **(details or {})}
    record_many(
        _event(row, was, origin=origin, reason=reason, **told)
        for row, was in zip(rows, before, strict=True)
    )


def _event(row: OAuthConnection, was: dict[str, Any], **how: Any) -> Event:
    erased = was["had_credentials"]
    action = Action.CONNECTION_DEAUTHORIZED
    return event_about(row, action, credentials_erased=erased, notes=was, **how)


def _change(rows: Sequence[OAuthConnection], *, now: datetime, forget_person: bool) -> None:
    """Change rows, those that come to be the same by one statement."""
    alike: dict[Any, list[OAuthConnection]] = defaultdict(list)
    for row in rows:
        anonymous = row.anonymous_columns() if forget_person else {}
        columns = {**_ended_columns(row, now), **anonymous}
        alike[type(row), tuple(columns.items())].append(row)
    for (_, columns), same in alike.items():
        erase_tokens(same, now=now, **dict(columns))


def _ended_columns(row: OAuthConnection, now: datetime) -> dict[str, Any]:
    """Return what the row is from now on: over, or in need of a fresh grant."""
    columns = row.deauthorized_columns(now)
    if columns.get("status", row.status) == DISCONNECTED:
        return columns
    return columns | row.attention_columns(AttentionReason.GRANT_REVOKED, now=now)
