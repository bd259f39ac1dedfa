"""End many connections in one transaction, by a number of statements that doesn't grow with them.

lock what is free → decide → move tokens to the revoker → one UPDATE → one INSERT of audit events

The steps are the same in all apps; each app's `disconnect_many` puts them together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

from audit.record import Event, Origin
from connections_project.connections.models import ERASED, OAuthConnection
from connections_project.revocation.grants import Grant
from connections_project.revocation.release_many import Leaving, Source


@dataclass(frozen=True)
class DisconnectRequest:
    """By whom and why connections are ended.

    Args:
        origin: Who orders it, for the audit.
        reason: Why, at most 512 characters.
        details: What else the audit should know.
        revoke: False where the platforms are not to be told.
        wait: Wait for a row that somebody else holds, instead of passing it over. Only with one
            row at a time: two that hold what the other waits for would never end.
    """

    origin: Origin
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    revoke: bool = True
    wait: bool = False


@dataclass(frozen=True)
class LockedConnection(Leaving):
    """A live connection that this transaction has locked."""

    account_name: str


@dataclass(frozen=True)
class Failure:
    """A connection that was left as it was.

    Args:
        cause: A word for programs, such as "active_schedules".
        detail: The same for people.
    """

    connection_id: UUID
    cause: str
    detail: str


@dataclass(frozen=True)
class DisconnectResult:
    """What became of a batch; whom it doesn't name is over, gone, or held by somebody else.

    Args:
        ended: Those that were ended.
        failures: Those that the app's rules forbid to end.
        job_ids: The revocations that the platforms are owed for them.
    """

    ended: Sequence[LockedConnection] = ()
    failures: Sequence[Failure] = ()
    job_ids: Sequence[UUID] = ()

    @property
    def named(self) -> set[UUID]:
        failed = {one.connection_id for one in self.failures}
        return {one.connection_id for one in self.ended} | failed

    def __add__(self, other: "DisconnectResult") -> "DisconnectResult":
        return DisconnectResult(
            (*self.ended, *other.ended),
            (*self.failures, *other.failures),
            (*self.job_ids, *other.job_ids),
        )


def lock_rows(
    live: "QuerySet[Any]", ids: Collection[UUID], *, wait: bool
) -> list[LockedConnection]:
    """Lock those rows of a batch that are live and that nobody else holds, in one order.

    Tokens are not read: of them only is said whether they are there.

    Args:
        live: The app's connections that are not over.
        ids: The batch.
        wait: See `Order`.
    """
    model: type[OAuthConnection] = live.model
    has_tokens = ExpressionWrapper(Q(auth_state__isnull=False), output_field=BooleanField())
    rows = (
        live.filter(pk__in=ids)
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=not wait)
        .annotate(had_tokens=has_tokens)
        .values_list(
            "pk",
            model.owner_column,
            model.platform_column,
            "authority",
            "client_id",
            "granting_user_id",
            "had_tokens",
            "platform_account_name",
        )
    )
    return [
        LockedConnection(pk, owner, slug, Grant(*grant), had_tokens, name)
        for pk, owner, slug, *grant, had_tokens, name in rows
    ]


def source_of(model: type[OAuthConnection]) -> Source:
    """Say where the tokens of an app's connections stand."""
    return Source(model.app, model, model.platform_column, model.owner_column)


def erased(now: datetime) -> dict[str, Any]:
    """Return the columns of a row whose tokens are forgotten, as `erase_tokens` leaves them."""
    ends = ("token_issued_at", "token_expires_at", "grant_expires_at", "renew_at")
    return {**ERASED, **dict.fromkeys(ends), **changed(now)}


def changed(now: datetime) -> dict[str, Any]:
    """Return the columns that say that a row has changed, as `OAuthConnection.changed` does."""
    lease = dict.fromkeys(("refresh_lease", "refresh_leased_until"))
    return {"epoch": F("epoch") + 1, "updated_at": now, **lease}


def update(model: type[OAuthConnection], rows: Sequence[LockedConnection], **columns: Any) -> None:
    """Change all locked rows by one statement."""
    model._default_manager.filter(pk__in=[one.connection_id for one in rows]).update(**columns)


def event_about(
    one: LockedConnection, action: str, *, app: str, order: DisconnectRequest, **details: Any
) -> Event:
    """Describe what was done to a connection, as `record_about` does."""
    return Event(
        action=action,
        origin=order.origin,
        subject_type=f"{app}.connection",
        subject_id=one.connection_id,
        subject_owner_id=one.owner_id,
        reason=order.reason,
        details={"platform": one.platform_slug, **details, **order.details},
    )
