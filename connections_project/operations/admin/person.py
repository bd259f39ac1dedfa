"""What a person's page shows beside the person: connections of all apps, sessions, teams, keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.urls import reverse
from django.utils.http import urlencode

from audit.models import AuditEvent
from connections_project.admin.formatting import badge, format_datetime, link_to
from connections_project.admin.viewing import may_view
from connections_project.connections.admin import job_badge
from connections_project.connections.registry import ConnectionType, connection_types, own_rows
from connections_project.connections.timeline import timeline
from connections_project.core import clock
from connections_project.identity.models import ApiKey, SessionFamily, Team, User
from connections_project.platforms.registry import name_of
from connections_project.revocation.models import RevocationJob

# Of each app; more are a link away.
MOST_SHOWN = 20


@dataclass(frozen=True)
class OfApp:
    """A person's connections of one app.

    Args:
        counts: How many there are in each status, as badges.
        rows: The newest of them, each as cells.
        more: The address of the whole list, where it is longer.
    """

    title: str
    counts: list[tuple[Any, int]]
    total: int
    rows: list[dict[str, Any]]
    more: str


def person_context(user: User, viewer: Any) -> dict[str, Any]:
    """Return what the template shows of a person, as far as the viewer may see it."""
    types = [one for one in connection_types() if may_view(viewer, one.model)]
    parts = {SessionFamily: _sessions, Team: _teams, ApiKey: _keys, AuditEvent: _timeline}
    seen = [part(user) for model, part in parts.items() if may_view(viewer, model)]
    return {"of_apps": [_of_app(one, user) for one in types]} | reduce(or_, seen, {})


def _sessions(user: User) -> dict[str, Any]:
    sessions = user.session_families.filter(revoked_at=None, expires_at__gt=clock.now())
    times = [format_datetime(one.created_at) for one in sessions.order_by("-id")[:10]]
    return {"sessions": times, "session_count": sessions.count()}


def _teams(user: User) -> dict[str, Any]:
    return {"teams": [link_to(team) for team in user.own_teams]}


def _keys(user: User) -> dict[str, Any]:
    keys, now = (
        ApiKey.objects.filter(team__memberships__user=user).order_by("-id")[:20],
        clock.now(),
    )
    return {"keys": [(link_to(key), key.name, key.is_good(now=now)) for key in keys]}


def _timeline(user: User) -> dict[str, Any]:
    return {"timeline": timeline(user.pk)}


def _of_app(one: ConnectionType, user: User) -> OfApp:
    rows = own_rows(one, user.pk, deleted=True).order_by()
    counts = dict(rows.values_list("status").annotate(number=Count("pk")).order_by("status"))
    newest = list(rows.order_by("-id").defer("auth_state")[:MOST_SHOWN])
    jobs = _newest_jobs(row.pk for row in newest)
    total = sum(counts.values())
    return OfApp(
        title=one.title,
        counts=[(badge(status), number) for status, number in counts.items()],
        total=total,
        rows=[_row(row, jobs.get(row.pk)) for row in newest],
        more=_list_of(one, user) if total > len(newest) else "",
    )


def _newest_jobs(ids: Iterable[UUID]) -> dict[UUID, RevocationJob]:
    jobs = RevocationJob.objects.filter(
        connection_id__in=list(ids), extras_only=False, replaced_or_late=False
    )
    return {job.connection_id: job for job in jobs.order_by("id").defer("sealed_tokens")}


def _row(row: Any, job: RevocationJob | None) -> dict[str, Any]:
    account = row.account_name or row.platform_account_id or str(row.pk)[:8]
    return {
        "link": link_to(row, f"{name_of(row.platform_slug)}: {account}"),
        "status": badge(row.status),
        "attention": badge(row.attention_reason, "wait") if row.attention_reason else "",
        "deleted": badge("deleted by its owner", "off") if row.deleted_at else "",
        "connected": format_datetime(row.connected_at),
        "disconnected": format_datetime(row.disconnected_at),
        "at_platform": job_badge(job),
    }


def _list_of(one: ConnectionType, user: User) -> str:
    options = one.model._meta
    page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    # A person's id finds their own; those of teams are found by the address, or the team's id.
    found = user.email or str(user.own_team.pk) if one.belongs_to_teams else str(user.pk)
    return f"{page}?{urlencode({'q': found})}"
