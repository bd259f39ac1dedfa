"""Disconnect connections: the steps that each app's `disconnect` is made of.

lock → move tokens to revocation jobs → one UPDATE → one INSERT of audit events

One connection is a batch of one, and no step takes more statements for more of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

from audit.record import Event, Origin, record_many
from connections_project.connections.models import ERASED, LEASE, OAuthConnection
from connections_project.connections.records import event_about
from connections_project.core import clock
from connections_project.revocation.release import release_grants

C = TypeVar("C", bound=OAuthConnection)

# A row without tokens has no times of theirs either, or renewals would look at it for ever.
TOKEN_TIMES = ("token_issued_at", "token_expires_at", "grant_expires_at", "renew_at")
GRANT = ("authority", "client_id", "granting_user_id")


@dataclass(frozen=True)
class DisconnectRequest:
    """By whom, why and how connections are disconnected.

    Args:
        reason: Why, at most 512 characters.
        revoke: Whether to revoke at the platforms; see `tells_platform`.
        erase_tokens: Erase the tokens that would be kept, also those of an earlier disconnect.
        cancel_schedules: Cancel what is scheduled; a channel that has something scheduled is left
            as it is otherwise.
        cause: What the host application is told as the reason, where `origin` doesn't say it:
            "offboarding" or "replay".
    """

    origin: Origin
    reason: str = ""
    revoke: bool = True
    erase_tokens: bool = False
    cancel_schedules: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    cause: str = ""

    def event(
        self,
        row: OAuthConnection,
        action: str,
        *,
        notes: Mapping[str, Any] | None = None,
        **details: Any,
    ) -> Event:
        """Return the audit event of what was done to a connection."""
        details.update(self.details)
        told = {"cause": self.cause, **(notes or {})}
        return event_about(
            row, action, origin=self.origin, reason=self.reason, notes=told, **details
        )


@dataclass(frozen=True)
class Failure:
    """A connection that was left as it was.

    Args:
        cause: A word for programs, such as "active_schedules".
        detail: The same for people.
        count: How many things stand in the way, where they can be counted.
    """

    connection_id: UUID
    cause: str
    detail: str
    count: int = 0


@dataclass(frozen=True)
class DisconnectResult:
    """What became of a batch; whom it doesn't name is over, gone, or held by somebody else.

    Args:
        ended: Those that were disconnected.
        failures: Those that the app's rules forbid to disconnect.
        job_ids: The pending revocations; the caller dispatches them.
    """

    ended: Sequence[OAuthConnection] = ()
    failures: Sequence[Failure] = ()
    job_ids: Sequence[UUID] = ()

    @property
    def named(self) -> set[UUID]:
        return {one.pk for one in self.ended} | {one.connection_id for one in self.failures}

    def __add__(self, other: "DisconnectResult") -> "DisconnectResult":
        return DisconnectResult(
            (*self.ended, *other.ended),
            (*self.failures, *other.failures),
            (*self.job_ids, *other.job_ids),
        )


def tells_platform(model: type[OAuthConnection], *, revoke: bool, erase_tokens: bool) -> bool:
    """Whether to revoke at the platform: never tokens that are kept here after the disconnect."""
    return revoke and (erase_tokens or not model.keeps_tokens)


def lock_rows(rows: "QuerySet[C]", *, skip_locked: bool) -> list[C]:
    """Lock and return rows without their tokens, of which only is read whether they are there.

    Args:
        rows: Ordered as all who lock several of them do: by their primary keys.
        skip_locked: Pass over rows that somebody else holds. Only one row at a time may be waited
            for: two that hold what the other waits for would never end.
    """
    model = rows.model
    held = ExpressionWrapper(Q(auth_state__isnull=False), output_field=BooleanField())
    known = ("status", "epoch", "connected_at", "platform_account_name", *GRANT)
    columns = (*known, "attention_reason", "attention_since")
    read = rows.only("pk", model.owner_column, model.platform_column, *columns)
    locked = read.select_for_update(no_key=True, skip_locked=skip_locked)
    return list(locked.annotate(held_when_locked=held))


def disconnect_and_erase(
    rows: Sequence[OAuthConnection],
    request: DisconnectRequest,
    action: str,
    *,
    details: Mapping[UUID, Mapping[str, Any]] | None = None,
    before: Iterable[Event] = (),
) -> DisconnectResult:
    """Disconnect locked rows of an app that keeps no tokens, in the caller's transaction.

    The tokens move, unopened, to the revocation jobs where they must be revoked, and are gone
    from the rows with the same commit.

    Args:
        rows: Connections that are not over.
        action: The app's audit action, of `Action` or of its own.
        details: What else the audit should know of each row, by its id.
        before: Events that stand in front of these in the audit log.
    """
    if not rows:
        return DisconnectResult()
    released = release_grants(rows, revoke=request.revoke)

    def ended(row: OAuthConnection) -> Event:
        return request.event(
            row,
            action,
            credentials_erased=row.holds_tokens,
            revocation=released.decisions[row.pk],
            **(details or {}).get(row.pk, {}),
        )

    now, ends = clock.now(), [ended(row) for row in rows]
    erase_tokens(rows, now=now, **rows[0].disconnected_columns(now=now))
    record_many([*before, *ends])
    return DisconnectResult(rows, job_ids=released.job_ids)


def erase_tokens(rows: Sequence[OAuthConnection], *, now: datetime, **columns: Any) -> None:
    """Erase tokens of locked rows, all of one app; what is known of the grants stays."""
    change_rows(rows, now=now, **ERASED, **dict.fromkeys(TOKEN_TIMES), **columns)


def change_rows(rows: Sequence[OAuthConnection], *, now: datetime, **columns: Any) -> None:
    """Change locked rows of one app by one statement, and these instances with them."""
    if not rows:
        return
    changed = {**columns, **dict.fromkeys(LEASE), "epoch": F("epoch") + 1, "updated_at": now}
    manager = type(rows[0])._default_manager
    manager.filter(pk__any_of=[row.pk for row in rows]).update(**changed)
    for row in rows:
        vars(row).update(columns)
        row.changed(now=now)
