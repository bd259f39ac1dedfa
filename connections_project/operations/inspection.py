"""Everything that an operator may know of a connection of any app, and never a secret."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from connections_project.connections.admin import GRANT, TIMES
from connections_project.connections.hints import hints
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import connection_type
from connections_project.connections.timeline import LONGEST, timeline
from connections_project.core import clock
from connections_project.core.parsing import render_datetime
from connections_project.identity.models import Team, User
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import has_credentials, upstream
from connections_project.receipts.facts import NotDisconnectedError, facts
from connections_project.revocation.models import GrantHold, RevocationJob

ACCOUNT = ("platform_account_id", "platform_account_name")
JOB = ("id", "extras_only", "state", "verification", "attempts", "last_error", "created_at",
       "due_at", "leased_until", "finished_at", "trace_id")  # fmt: skip
# More than fit on a screen are counted, and the first ones listed.
MOST = 100


def inspect(connection: OAuthConnection) -> dict[str, Any]:
    """Gather what is known of a connection, in JSON's own types and by a fixed number of queries.

    Lists that may grow without end are cut at `MOST`; their counts are whole. The trail is what
    `timeline` gives, oldest first.
    """
    jobs = list(
        RevocationJob.objects.filter(connection_id=connection.pk)
        .defer("sealed_tokens")
        .order_by("-id")[:MOST]
    )
    trail = [_plain(asdict(entry)) for entry in reversed(timeline(connection.pk))]
    return {
        "connection": _connection(connection),
        "owner": _owner(connection),
        "platform": _platform(connection),
        "attention": [asdict(hint) for hint in hints(connection, jobs)],
        "refresh_lease": _lease(connection),
        "grant_siblings": _siblings(connection),
        "revocations": [_columns(job, JOB) for job in jobs],
        "receipt": _receipt(connection),
        **_plain(connection_type(connection.app).inspect(connection)),
        "trail": trail,
        "trail_is_cut": len(trail) == LONGEST,
    }


def _connection(row: OAuthConnection) -> dict[str, Any]:
    own = connection_type(row.app).operator_fields
    names = ("id", "status", *own, *ACCOUNT, *GRANT, *TIMES, "epoch")
    return {"app": row.app, **_columns(row, names), "holds_credentials": row.auth_state is not None}


def _owner(row: OAuthConnection) -> dict[str, Any]:
    """Return the owner: a user, or a team with its members."""
    owner: User | Team = getattr(row, row.owner_column.removesuffix("_id"))
    if isinstance(owner, User):
        return {
            "type": owner.principal_type,
            **_columns(owner, ("id", "email", "is_active")),
            "email": owner.shown_email,
        }
    members = owner.members.order_by("email", "issuer_email", "subject")
    return {
        "type": "team",
        **_columns(owner, ("id", "name")),
        "members": owner.members.count(),
        "active_members": [one.shown_name for one in members.filter(is_active=True)[:MOST]],
    }


def _platform(row: OAuthConnection) -> dict[str, Any]:
    found = upstream(row.platform_slug)
    suspension = Suspension.objects.filter(pk=row.platform_slug).first()
    platform = found.platform if found else None
    revocation = platform.revocation if platform else None
    return {
        "slug": row.platform_slug,
        "name": platform.name if platform else None,
        "is_in_catalogue": platform is not None,
        "has_credentials": found is not None and has_credentials(found),
        "revocation": revocation.kind if revocation else None,
        "blast_radius": revocation.blast_radius if revocation else None,
        "verify": revocation.verify if revocation else None,
        "help_url": platform.help_url if platform else "",
        "suspended_because": suspension.reason if suspension else None,
    }


def _lease(row: OAuthConnection) -> dict[str, Any] | None:
    """Return until when a refresh is leased; None where none is."""
    until = row.refresh_leased_until
    if row.refresh_lease is None or until is None:
        return None
    return {"until": render_datetime(until), "is_held": until > clock.now()}


def _siblings(row: OAuthConnection) -> list[dict[str, str]]:
    """Return the live connections, of any app and owner, on the same grant."""
    grant = row.grant
    if grant.platform_user_id is None:
        return []
    same = GrantHold.objects.filter(
        client_id=grant.client_id,
        authority=grant.authority,
        platform_user_id=grant.platform_user_id,
    )
    others = same.exclude(connection_id=row.pk).order_by("id").values("app", "connection_id")
    return [_plain(one) for one in others[:MOST]]


def _receipt(row: OAuthConnection) -> dict[str, Any] | None:
    """Return what a receipt would attest now; None while there is none."""
    try:
        known = facts(row)
    except NotDisconnectedError:
        return None
    return {
        "disconnected_at": render_datetime(known.disconnected_at),
        "actor": known.ending.actor_type,
        "interface": known.ending.interface,
        "erased": list(known.erased),
        "revocation": _plain(asdict(known.revocation)),
    }


def _columns(row: Model, names: Iterable[str]) -> dict[str, Any]:
    return _plain({name: getattr(row, name) for name in names})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_json(value) for name, value in values.items()}


def _as_json(value: Any) -> Any:
    match value:
        case datetime():
            return render_datetime(value)
        case UUID():
            return str(value)
        case dict():
            return _plain(value)
        case list():
            return [_as_json(one) for one in value]
    return value
