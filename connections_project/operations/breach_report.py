"""The one report of a breach: what ended when, what the platform was told, and the proof of it."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.db.models import Count, Max

from audit.models import Seal
from connections_project.connections.registry import ConnectionType
from connections_project.core import clock
from connections_project.core.parsing import render_datetime
from connections_project.core.signing import key_id
from connections_project.core.text import json_spelt_out
from connections_project.identity.models import Membership
from connections_project.operations.breach import Breach, waiting
from connections_project.platforms.models import Suspension
from connections_project.receipts.keys import signing_key

# So that it is not taken for the receipt of a connection (RFC 8725, section 3.11).
TYPE = "breach-report+jwt"


def issue_report(breach: Breach, export: Path) -> str:
    """Issue the report as a compact JWS (RFC 7515, EdDSA), which receipts' keys verify.

    Args:
        export: The part of the audit log since it began; the report has its digest.
    """
    key = signing_key()
    headers = {"kid": key_id(key.public_key()), "typ": TYPE}
    return jwt.encode(_claims(breach, export), key, "EdDSA", headers=headers)


def claims_of(report: str) -> dict[str, Any]:
    """Return what a report says, without verifying it."""
    claims: dict[str, Any] = jwt.decode(report, options={"verify_signature": False})
    return claims


def write_owners(breach: Breach, path: Path) -> int:
    """Write a line of JSON for each owner who has to be notified, and return how many there are."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for one, rows in breach.ended:
            for line in _owners(one, rows):
                file.write(json_spelt_out(f"{json.dumps(line)}\n"))
                count += 1
    return count


def _claims(breach: Breach, export: Path) -> dict[str, Any]:
    jobs = breach.jobs.filter(created_at__gte=breach.started_at)
    return {
        "iss": settings.PUBLIC_URL,
        "iat": int(clock.now().timestamp()),
        "platform": breach.slug,
        "for_real": breach.for_real,
        "reason": breach.reason,
        "started_at": render_datetime(breach.started_at),
        "suspended_at": _suspended_at(breach),
        "ended_at": _latest(rows.aggregate(at=Max("disconnected_at")) for _, rows in breach.ended),
        "revoked_at": _latest([jobs.aggregate(at=Max("finished_at"))]),
        "told_at": _latest([breach.deliveries.aggregate(at=Max("finished_at"))]),
        "connections": [{"app": one.app, "ended": rows.count()} for one, rows in breach.ended],
        "revocations": _by_state(jobs),
        "events": _by_state(breach.deliveries),
        "left": _left(breach),
        "audit": _audit(export),
    }


def _left(breach: Breach) -> dict[str, int]:
    left = waiting(breach)
    return {
        "connections": left.connections,
        "revocations": left.revocations,
        "events": left.deliveries,
    }


def _audit(export: Path) -> dict[str, Any]:
    seal = Seal.objects.order_by("-number").first()
    with export.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "export": export.name,
        "sha256": digest,
        "seal": seal.number if seal else None,
        "head": seal.head if seal else None,
    }


def _suspended_at(breach: Breach) -> str | None:
    found = Suspension.objects.filter(pk=breach.slug).first()
    return render_datetime(found.suspended_at) if found else None


def _latest(found: Iterable[dict[str, Any]]) -> str | None:
    times = [one["at"] for one in found if one["at"] is not None]
    return render_datetime(max(times)) if times else None


def _by_state(rows: Any) -> dict[str, int]:
    return dict(rows.order_by("state").values_list("state").annotate(number=Count("pk")))


def _owners(one: ConnectionType, rows: Any) -> Iterable[dict[str, Any]]:
    """Name owners by ids, and people also as their issuer does, but by no address."""
    column = one.model.owner_column
    counted = rows.order_by(column).values_list(column)
    if one.belongs_to_teams:
        members = _members(rows.order_by().values(column))
        for team_id, number in counted.annotate(number=Count("pk")):
            found = members.get(team_id, [])
            yield {"team_id": str(team_id), "members": found, "connections": number}
        return
    named = rows.order_by(column).values_list(column, "user__issuer", "user__subject")
    for user_id, issuer, subject, number in named.annotate(number=Count("pk")).iterator():
        person = {"principal_id": str(user_id), "issuer": issuer, "subject": subject}
        yield {**person, "connections": number}


def _members(teams: Any) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    pairs = Membership.objects.filter(team_id__in=teams).values_list("team_id", "user_id")
    for team_id, user_id in pairs:
        found.setdefault(team_id, []).append(str(user_id))
    return found
