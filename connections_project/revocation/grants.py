"""Who holds which grant. Every function expects to stand in its caller's transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from connections_project.revocation.models import GrantHold, JobState, RevocationJob


@dataclass(frozen=True)
class Grant:
    """What one user of a platform gave to one of our clients.

    Args:
        authority: The authorization server, as host and port of its token endpoint.
        platform_user_id: Who gave it; None where the platform does not say, and then nothing is
            known to be shared.
    """

    authority: str
    client_id: str
    platform_user_id: str | None


def add_holder(grant: Grant, *, app: str, connection_id: UUID) -> None:
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


def add_holders(grants: Mapping[UUID, Grant], *, app: str) -> None:
    """Note which connection lives on which grant, for many by one statement."""
    GrantHold.objects.bulk_create(
        [
            GrantHold(
                connection_id=connection_id,
                app=app,
                authority=grant.authority,
                client_id=grant.client_id,
                platform_user_id=grant.platform_user_id,
            )
            for connection_id, grant in grants.items()
            if grant.platform_user_id is not None
        ],
        update_conflicts=True,
        unique_fields=["connection_id"],
        update_fields=["app", "authority", "client_id", "platform_user_id"],
    )


def remove_holders(*connection_ids: UUID) -> None:
    GrantHold.objects.filter(connection_id__any_of=connection_ids).delete()


def has_holders(grant: Grant, *, lock: bool = False) -> bool:
    """Whether a live connection stands on the grant.

    Args:
        lock: Lock all its holders, in one order, so that of two that leave at once the second one
            sees that it is the last.
    """
    holders = GrantHold.objects.filter(client_id=grant.client_id, authority=grant.authority)
    if grant.platform_user_id is None:
        # Nobody knows whose grant it is, so any holder of our client may be a sibling.
        return holders.exists()
    holders = holders.filter(platform_user_id=grant.platform_user_id).order_by("id")
    if lock:
        holders = holders.select_for_update()
    return bool(holders.values_list("id", flat=True))


def holders_by_app(grant: Grant) -> Mapping[str, list[UUID]]:
    """Name the live connections on a grant whose giver is known."""
    found: dict[str, list[UUID]] = defaultdict(list)
    rows = GrantHold.objects.filter(
        client_id=grant.client_id,
        authority=grant.authority,
        platform_user_id=grant.platform_user_id,
    )
    for app, connection_id in rows.order_by("id").values_list("app", "connection_id"):
        found[app].append(connection_id)
    return found


def was_revoked_since(grant: Grant, since: datetime, *, platform: str) -> bool:
    """Whether a platform was asked since then to revoke a grant, or is being asked just now.

    Args:
        grant: Nothing is known of one whose giver is unknown.
        since: Jobs that ended before are not counted.
        platform: Where jobs that failed, and are due again, would be.
    """
    jobs = RevocationJob.objects.filter(
        client_id=grant.client_id,
        authority=grant.authority,
        platform_user_id=grant.platform_user_id,
        extras_only=False,
    )
    # Each of these has an index of its own, in which there are few.
    failed = Q(state=JobState.PENDING, platform=platform, due_at__gte=since, attempts__gt=0)
    tried = Q(leased_until__isnull=False) | Q(finished_at__gte=since) | failed
    return grant.platform_user_id is not None and jobs.filter(tried).exists()


def holders_of(grants: Collection[Grant]) -> Mapping[Grant, frozenset[UUID]]:
    """Lock the holders of many grants, in the one order in which all lock them, and name them.

    Args:
        grants: Those whose giver is known. One that nobody holds is not in the answer.
    """
    found: dict[Grant, set[UUID]] = defaultdict(set)
    if any_of := _any_of(grants):
        holders = GrantHold.objects.filter(any_of).order_by("id").select_for_update()
        columns = ("authority", "client_id", "platform_user_id", "connection_id")
        for *grant, connection_id in holders.values_list(*columns):
            found[Grant(*grant)].add(connection_id)
    return {grant: frozenset(holders) for grant, holders in found.items()}


def _any_of(grants: Collection[Grant]) -> Q:
    """Put the grants of a client into one range of the index each, however many they are."""
    users = defaultdict(list)
    for grant in grants:
        users[grant.client_id, grant.authority].append(grant.platform_user_id)
    any_of = Q()
    for (client_id, authority), ids in users.items():
        any_of |= Q(client_id=client_id, authority=authority, platform_user_id__in=ids)
    return any_of


def clients_with_holders(
    clients: Collection[tuple[str, str]], *, besides: Collection[UUID]
) -> set[tuple[str, str]]:
    """Name those of our clients, as authority and client id, on which some live connection stands.

    Args:
        besides: Connections that are not counted, because they are leaving.
    """
    return {
        (authority, client_id)
        for authority, client_id in clients
        if GrantHold.objects.filter(authority=authority, client_id=client_id)
        .exclude(connection_id__in=besides)
        .exists()
    }
