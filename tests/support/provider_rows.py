"""Connections put into the database directly, however they came about."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import add_holder, add_holders
from providers.models import Connection

TOKENS = TokenSet("access-0", "refresh-0", expires_in=1800)
LIVE = {"active", "expired", "revoked"}


def connection_of(
    user: User,
    *,
    slug: str = "bank",
    status: str = "active",
    tokens: TokenSet = TOKENS,
    account_id: str | None = "customer-7",
    **columns: Any,
) -> Connection:
    """Make a row in any status, with tokens and a hold on the grant where that status has them."""
    row = _row(user, slug, status, tokens, account_id, columns)
    row.save()
    if status == "active":
        add_holder(row.grant, app=row.app, connection_id=row.pk)
    return row


def many_connected(user: User, count: int) -> None:
    """Make active rows, each with an account of its own, by few statements."""
    accounts = [f"customer-{number}" for number in range(count)]
    rows = [_row(user, "bank", "active", TOKENS, one, {}) for one in accounts]
    Connection.objects.bulk_create(rows, batch_size=1000)
    for start in range(0, count, 1000):
        add_holders({row.pk: row.grant for row in rows[start : start + 1000]}, app="providers")


def _row(
    user: User,
    slug: str,
    status: str,
    tokens: TokenSet,
    account_id: str | None,
    columns: dict[str, Any],
) -> Connection:
    now = columns.pop("now", None) or timezone.now()
    row = Connection(user=user, provider_slug=slug, created_at=now, updated_at=now, **columns)
    found = upstream(slug)
    if status in LIVE and found:
        row.take_grant(tokens, Identity(account_id, "Ada"), upstream=found, now=now)
    if status == "disconnected":
        row.disconnected_at = now
    row.status = status
    return row


def many_disconnected(user: User, count: int) -> None:
    now = timezone.now()
    Connection.objects.bulk_create(
        Connection(
            user=user,
            provider_slug="bank",
            status="disconnected",
            created_at=now - timedelta(seconds=number),
            updated_at=now,
            disconnected_at=now,
        )
        for number in range(count)
    )


def events(action: str) -> list[AuditEvent]:
    """Return the audit events of one action, oldest first."""
    return list(AuditEvent.objects.filter(action=action).order_by("id"))
