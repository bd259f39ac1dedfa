"""End one connection whose grant is over at the platform, so that nothing is revoked there."""

from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from connections_project.connections.disconnect import erase_tokens
from connections_project.connections.models import OAuthConnection
from connections_project.connections.records import record_about
from connections_project.revocation.grants import remove_holders


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
    anonymous = row.anonymous_columns() if forget_person else {}
    erase_tokens([row], now=now, **row.deauthorized_columns(now), **anonymous)
    remove_holders(row.pk)
    record_about(
        row,
        Action.CONNECTION_DEAUTHORIZED,
        origin=origin,
        sender=sender,
        credentials_erased=had_credentials,
        profile_erased=forget_person,
    )
