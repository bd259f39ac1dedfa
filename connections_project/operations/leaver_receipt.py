"""The receipt of somebody who left: what ended here, and what is still to be revoked where."""

from collections.abc import Iterable
from typing import Any

import jwt
from django.conf import settings
from django.db.models import Count

from audit.events import Action
from audit.models import AuditEvent
from audit.readable import read
from connections_project.connections.registry import Rows, connection_type
from connections_project.core import clock
from connections_project.core.parsing import render_datetime
from connections_project.core.signing import key_id
from connections_project.identity.models import User
from connections_project.operations.offboarding_plan import keys_to_decide_on, own
from connections_project.receipts.issue import unreadable_claim
from connections_project.receipts.keys import signing_key
from connections_project.revocation.models import RevocationJob

# So that it is not taken for the receipt of a connection (RFC 8725, section 3.11).
TYPE = "leaver-receipt+jwt"


class NotALeaverError(Exception):
    """The user has access still, or never had it taken away."""


def issue_leaver_receipt(user: User) -> str:
    """Issue the receipt of a user whose access has ended, as a compact JWS (RFC 7515, EdDSA).

    Each is made afresh and attests what is known when it is made, by a number of queries that does
    not grow with the connections. It names the principal by id, and by (issuer, subject) unless it
    was forgotten.

    Raises:
        NotALeaverError: The user is active.
    """
    key = signing_key()
    headers = {"kid": key_id(key.public_key()), "typ": TYPE}
    return jwt.encode(_claims(user), key, "EdDSA", headers=headers)


def has_leaver_receipt(user: User) -> bool:
    """Whether a receipt could be made: what it rests on may be in an archive by now."""
    return any(event.is_readable for event in _deactivations(user))


def _deactivations(user: User) -> list[AuditEvent]:
    """Return what tells of a leaver's end, the last first; nothing of one who is active."""
    if user.is_active:
        return []
    found = AuditEvent.objects.filter(subject_id=user.pk, action=Action.USER_DEACTIVATED)
    return read(found.order_by("-occurred_at", "-id"))


def _claims(user: User) -> dict[str, Any]:
    events = _deactivations(user)
    deactivation = next((event for event in events if event.is_readable), None)
    if deactivation is None:
        raise NotALeaverError
    rows = own(user)
    ended = [(app, each.exclude(disconnected_at=None)) for app, each in rows.items()]
    remaining = [(app, connection_type(app).unfinished(each)) for app, each in rows.items()]
    kept = [(app, connection_type(app).with_kept_tokens(each)) for app, each in rows.items()]
    return {
        "iss": settings.PUBLIC_URL,
        "iat": int(clock.now().timestamp()),
        "principal_id": str(user.pk),
        "issuer": user.issuer,
        "subject": user.subject,
        "forgotten": user.is_forgotten,
        "left_at": render_datetime(deactivation.occurred_at),
        "actor": deactivation.actor_type,
        "interface": deactivation.interface,
        "ended": _counted(ended),
        "remaining": _counted(remaining),
        "kept_tokens": _counted(kept),
        "revocations": _revocations(rows.values()),
        "keys_left": [key.prefix for key in keys_to_decide_on(user)],
        **unreadable_claim(event.pk for event in events if not event.is_readable),
    }


def _counted(rows: Iterable[tuple[str, Rows]]) -> list[dict[str, Any]]:
    """Count connections by app and platform."""
    found: list[dict[str, Any]] = []
    for app, each in rows:
        column = connection_type(app).model.platform_column
        counted = each.order_by(column).values_list(column).annotate(number=Count("pk"))
        found += [{"app": app, "platform": slug, "connections": n} for slug, n in counted]
    return found


def _revocations(rows: Iterable[Rows]) -> list[dict[str, Any]]:
    """Count what was or is still to be revoked, by platform and state; `pending` is still due."""
    return [
        {"platform": slug, "state": state, "tokens": number}
        for each in rows
        for slug, state, number in RevocationJob.objects.filter(
            connection_id__in=each.order_by().values("pk")
        )
        .order_by("platform", "state")
        .values_list("platform", "state")
        .annotate(number=Count("pk"))
    ]
