"""End one connection whose grant is over at the platform, so that no token is revoked there."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.disconnect import erase_tokens
from connections_project.connections.models import OAuthConnection
from connections_project.connections.records import record_about
from connections_project.connections.registry import DISCONNECTED
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.grants import remove_holders
from connections_project.revocation.release import revoke_extras


def mark_deauthorized(
    row: OAuthConnection, *, origin: Origin, sender: str, forget_person: bool = False
) -> None:
    """End a connection that the caller has locked, in the caller's transaction.

    Args:
        row: Whatever its status; one that is over loses what it still holds.
        origin: The platform.
        sender: The kind of notice that reports it.
        forget_person: Whether the platform user's name and ids go too.
    """
    had_credentials, now = row.holds_tokens, timezone.now()
    was_over = row.status == DISCONNECTED
    anonymous = row.anonymous_columns() if forget_person else {}
    # What came beside the tokens may outlive the grant.
    dispatch_revocations(revoke_extras([row]), interface=origin.interface)
    erase_tokens([row], now=now, **_ended_columns(row, now), **anonymous)
    remove_holders(row.pk)
    record_about(
        row,
        Action.CONNECTION_DEAUTHORIZED,
        origin=origin,
        sender=sender,
        credentials_erased=had_credentials,
        profile_erased=forget_person,
        notes={"was_over": was_over, "had_credentials": had_credentials},
    )


def _ended_columns(row: OAuthConnection, now: datetime) -> dict[str, Any]:
    """Return what the row is from now on: over, or in need of a fresh grant."""
    columns = row.deauthorized_columns(now)
    if columns.get("status", row.status) == DISCONNECTED:
        return columns
    return columns | row.attention_columns(AttentionReason.GRANT_REVOKED, now=now)
