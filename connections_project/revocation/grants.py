"""Who holds which grant. Every function expects to stand in its caller's transaction."""

from dataclasses import dataclass
from uuid import UUID

from connections_project.revocation.models import GrantHold


@dataclass(frozen=True)
class Grant:
    """What one user of a platform gave to one of our clients.

    Args:
        authority: The authorization server, as host and port of its token endpoint.
        client_id: Our client there.
        platform_user_id: Who gave it; None where the platform does not tell, and then nothing is
            known to be shared.
    """

    authority: str
    client_id: str
    platform_user_id: str | None


def hold(grant: Grant, *, app: str, connection_id: UUID) -> None:
    """Note that a connection lives on a grant; again for one that already does."""
    if grant.platform_user_id is None:
        return
    GrantHold.objects.update_or_create(
        connection_id=connection_id,
        defaults={
            "app": app,
            "authority": grant.authority,
            "client_id": grant.client_id,
            "platform_user_id": grant.platform_user_id,
        },
    )


def let_go(connection_id: UUID) -> None:
    GrantHold.objects.filter(connection_id=connection_id).delete()


def has_holders(grant: Grant, *, besides: UUID | None = None, lock: bool = False) -> bool:
    """Say whether a live connection stands on the grant.

    Args:
        besides: A connection that is not counted, because it is leaving.
        lock: Lock all its holders, in one order, so that of two that leave at once the second one
            sees that it is the last.
    """
    holders = GrantHold.objects.filter(client_id=grant.client_id, authority=grant.authority)
    if grant.platform_user_id is None:
        # Nobody knows whose grant it is, so any holder of our client may be a sibling.
        return (holders.exclude(connection_id=besides) if besides else holders).exists()
    holders = holders.filter(platform_user_id=grant.platform_user_id).order_by("id")
    if lock:
        holders = holders.select_for_update()
    return any(holder != besides for holder in holders.values_list("connection_id", flat=True))
