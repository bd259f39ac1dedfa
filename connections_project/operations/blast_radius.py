"""What a forced disconnect would touch, before anybody confirms it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from connections_project.connections.disconnect import tells_platform
from connections_project.connections.registry import (
    ConnectionType,
    Rows,
    Selection,
    connection_type,
)
from connections_project.operations.options import BlastRadius
from connections_project.platforms.registry import upstream
from connections_project.revocation.models import GrantHold
from connections_project.revocation.release import can_revoke, ends_the_grant


def blast_radius(
    app: str, selection: Selection, *, revoke: bool = True, erase_tokens: bool = False
) -> BlastRadius:
    """Count what a forced disconnect would touch, in a number of queries that doesn't grow with it.

    Args:
        selection: Connections of that app, or their ids; those that are over don't count.
        revoke: False where nothing is to be revoked at the platforms.
        erase_tokens: Also count disconnected social accounts whose tokens were kept.
    """
    target = connection_type(app)
    rows = target.unfinished(selection, erase_tokens=erase_tokens)
    platforms = _platforms(target, rows)
    owners = rows.aggregate(owners=Count(target.model.owner_column, distinct=True))
    return BlastRadius(
        connections=sum(platforms.values()),
        owners=owners["owners"],
        platforms=platforms,
        active_schedules=target.active_schedules(rows) if target.active_schedules else 0,
        grant_siblings=_staying(rows).filter(Exists(_on_the_same_grant(rows))).count(),
        revocations=_revocations(target, rows, platforms)
        if tells_platform(target.model, revoke=revoke, erase_tokens=erase_tokens)
        else 0,
    )


@dataclass(frozen=True)
class Survivors:
    """Grants at a platform without a usable revocation, which outlive their connections.

    Args:
        grants: How many, of connections that hold tokens.
        until: The latest known end; None where none is known.
        endless: Of how many no end is known: they live until their users remove them there.
    """

    slug: str
    grants: int
    until: datetime | None
    endless: int


def survivors(app: str, selection: Selection) -> list[Survivors]:
    """Return the grants that no revocation would end, by platform.

    Args:
        selection: Connections of that app, or their ids.
    """
    target = connection_type(app)
    slug = target.model.platform_column
    rows = target.unfinished(selection).filter(auth_state__isnull=False)
    found = rows.values_list(slug).annotate(
        grants=Count("pk"),
        until=Max("grant_expires_at"),
        endless=Count("pk", filter=Q(grant_expires_at=None)),
    )
    survivors = (Survivors(*row) for row in found.order_by(slug))
    return [one for one in survivors if not can_revoke(upstream(one.slug))]


def _platforms(target: ConnectionType, rows: Rows) -> dict[str, int]:
    slug = target.model.platform_column
    return dict(rows.values_list(slug).annotate(number=Count("pk")).order_by(slug))


def _staying(rows: Rows) -> "QuerySet[GrantHold]":
    """Return the holders of grants that are not among the rows."""
    return GrantHold.objects.filter(~Exists(rows.filter(pk=OuterRef("connection_id"))))


def _on_the_same_grant(rows: Rows) -> Rows:
    return rows.filter(
        client_id=OuterRef("client_id"),
        authority=OuterRef("authority"),
        granting_user_id=OuterRef("platform_user_id"),
    )


def _revocations(target: ConnectionType, rows: Rows, slugs: Any) -> int:
    """Count the revocations that would be sent, by the rules of `revocation/release.py`."""
    column = f"{target.model.platform_column}__in"
    revocable = {slug: upstream(slug) for slug in slugs if can_revoke(upstream(slug))}
    delicate = [slug for slug, found in revocable.items() if ends_the_grant(found)]
    with_tokens = rows.filter(auth_state__isnull=False)
    alone = with_tokens.filter(
        **{column: [slug for slug in revocable if slug not in delicate]}
    ).count()
    if not delicate:
        return alone
    together = with_tokens.filter(**{column: delicate})
    return alone + _last_of_known(rows, together) + _last_of_unknown(rows, together)


def _last_of_known(rows: Rows, together: Rows) -> int:
    """Count the grants on which nobody stays: each is revoked once."""
    grant = ("authority", "client_id", "granting_user_id")
    stays = _staying(rows).filter(
        client_id=OuterRef("client_id"),
        authority=OuterRef("authority"),
        platform_user_id=OuterRef("granting_user_id"),
    )
    known = together.filter(~Exists(stays), granting_user_id__isnull=False)
    return known.values(*grant).distinct().count()


def _last_of_unknown(rows: Rows, together: Rows) -> int:
    """Count those of whose grant nobody knows the holder, where nobody stays on our client."""
    unknown = together.filter(granting_user_id=None).values_list("authority", "client_id")
    return sum(
        number
        for authority, client_id, number in unknown.annotate(number=Count("pk")).order_by()
        if not _staying(rows).filter(Q(authority=authority, client_id=client_id)).exists()
    )
