"""The connections of all apps as one list of plain rows, with the columns that all apps have."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet, Value

from connections_project.connections.attention import AttentionReason
from connections_project.connections.registry import ConnectionType, connection_types, own_rows
from connections_project.identity.models import User


class Overview(NamedTuple):
    """One connection, of any app; the order is that of the columns read."""

    created_at: datetime
    id: UUID
    app: str
    platform: str
    account_name: str
    status: str
    attention_reason: str | None
    attention_since: datetime | None
    grant_expires_at: datetime | None
    connected_at: datetime | None
    disconnected_at: datetime | None

    @property
    def needs_attention(self) -> dict[str, Any] | None:
        """Return why it needs its owner, since when, and the end of a grant that is ending."""
        if self.attention_reason is None:
            return None
        is_ending = self.attention_reason == AttentionReason.GRANT_ENDING
        ends_at = self.grant_expires_at if is_ending else None
        return {"reason": self.attention_reason, "since": self.attention_since, "ends_at": ends_at}


def own_connections(
    user: User,
    *,
    app: str | None = None,
    status: str | None = None,
    needs_attention: bool | None = None,
) -> "QuerySet[Any]":
    """Return a user's own connections and its teams', newest first, as values of `Overview`.

    Args:
        app: Of this app alone.
        status: In this status alone, in the app's own words.
        needs_attention: Only those that need their owner, or only the others.
    """
    which = Q() if status is None else Q(shown=status)
    if needs_attention is not None:
        which &= Q(attention_reason__isnull=not needs_attention)
    first, *others = [
        _rows(one, user).filter(which).values_list(*COLUMNS)
        for one in connection_types()
        if app in {None, one.app}
    ]
    return first.union(*others, all=True).order_by("-created_at", "-id")


COLUMNS = (
    *("created_at", "id", "of_app", "of_platform", "platform_account_name", "shown"),
    *("attention_reason", "attention_since", "grant_expires_at", "connected_at"),
    "disconnected_at",
)


def _rows(one: ConnectionType, user: User) -> "QuerySet[Any]":
    model = one.model
    rows: QuerySet[Any] = own_rows(one, user.pk).order_by()
    annotated: QuerySet[Any] = rows.annotate(
        of_app=Value(one.app),
        of_platform=F(model.platform_column),
        shown=model.shown_status_expression(),
    )
    return annotated
