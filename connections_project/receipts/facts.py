"""What is known of how a connection was ended: read from the audit log and the revocation jobs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.events import Action
from audit.models import AuditEvent
from audit.readable import read
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import connection_type
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.release import Decision

OUTCOMES = (
    Action.TOKEN_REVOKED,
    Action.TOKEN_REVOCATION_SKIPPED,
    Action.TOKEN_REVOCATION_ABANDONED,
)


class NotDisconnectedError(Exception):
    """The connection is not over, so that there is nothing to attest."""


@dataclass(frozen=True)
class Revocation:
    """What was revoked at the platform, and what it answered, until now.

    Args:
        state: `revoked, pending, abandoned, not_supported, shared_grant` or `not_requested`.
        last_error: What the last try failed with, while it is pending.
        verification: What a look at the tokens has shown, once the platform had accepted:
            `verified_dead, still_alive` or `unverifiable`; empty where there was none.
    """

    state: str
    attempts: int = 0
    last_error: str = ""
    finished_at: datetime | None = None
    verification: str = ""


@dataclass(frozen=True)
class Facts:
    """How a connection was ended, and what became of its credentials until now.

    Args:
        erased: What is gone here: "credentials", "profile".
        unreadable: Events about it that can't be read, of which nothing is told here.
    """

    ending: AuditEvent
    disconnected_at: datetime
    erased: tuple[str, ...]
    revocation: Revocation
    unreadable: tuple[UUID, ...] = ()


def facts(connection: OAuthConnection) -> Facts:
    """Gather the facts of a connection that is over.

    Raises:
        NotDisconnectedError: It is not.
    """
    when = connection.disconnected_at
    if when is None:
        raise NotDisconnectedError
    ends, actions = _ends(connection), connection_type(connection.app).actions
    found = _events(connection, (*ends, *OUTCOMES, actions.tokens_erased))
    recorded = [event for event in found if event.is_readable]
    endings = [event for event in recorded if event.action in ends]
    if not endings:
        raise NotDisconnectedError
    # A social account may have been ended, connected again, and ended once more.
    ending = min(endings, key=lambda event: abs(event.occurred_at - when))
    since = [event for event in recorded if event.occurred_at >= ending.occurred_at]
    erased = tuple(_erased(ending, since, actions.tokens_erased))
    unreadable = tuple(event.pk for event in found if not event.is_readable)
    return Facts(ending, when, erased, _revocation(connection, ending, since), unreadable)


def has_receipt(connection: OAuthConnection) -> bool:
    """Whether a receipt could be made: what it rests on may be in an archive by now."""
    if connection.disconnected_at is None:
        return False
    return any(event.is_readable for event in _events(connection, _ends(connection)))


def _ends(connection: OAuthConnection) -> tuple[str, ...]:
    # A platform, too, may say that it is over.
    disconnected = connection_type(connection.app).actions.disconnected
    return (disconnected, Action.CONNECTION_DEAUTHORIZED)


def _events(connection: OAuthConnection, actions: tuple[str, ...]) -> list[AuditEvent]:
    events = AuditEvent.objects.filter(subject_id=connection.pk, action__in=actions)
    return read(events.order_by("occurred_at", "id"))


def _erased(ending: AuditEvent, since: list[AuditEvent], erasure: str) -> Iterator[str]:
    if ending.details.get("credentials_erased") or any(one.action == erasure for one in since):
        yield "credentials"
    if any(one.details.get("profile_erased") for one in since):
        yield "profile"


def _revocation(
    connection: OAuthConnection, ending: AuditEvent, since: list[AuditEvent]
) -> Revocation:
    pending = RevocationJob.pending().filter(connection_id=connection.pk, extras_only=False)
    if connection.connected_at:
        # Those of an ending before the account was connected again are none of this one.
        pending = pending.filter(created_at__gte=connection.connected_at)
    # Of one that was ended while it was being made, or had failed, those that came late are all.
    had_none = ending.details.get("credentials_erased") is False
    # Its own tokens come first; others, which it had before or came late, prove nothing of these.
    job = pending.order_by("replaced_or_late", "id").first()
    if job and (had_none or not job.replaced_or_late):
        return _pending(job)
    outcomes = [one for one in since if one.action in OUTCOMES and _is_of_last(one, connection)]
    own = [one for one in outcomes if had_none or not one.details.get("replaced_or_late")]
    if own and own[-1].action != Action.TOKEN_REVOCATION_SKIPPED:
        if job:
            return _pending(job)
        # One that is gone makes nothing of one that was given up.
        given_up = [one for one in outcomes if one.action == Action.TOKEN_REVOCATION_ABANDONED]
        return _settled((given_up or own)[-1])
    if own:
        return _settled(own[-1])
    if ending.action == Action.CONNECTION_DEAUTHORIZED:
        # The platform itself has said so.
        return Revocation(JobState.REVOKED, finished_at=ending.occurred_at)
    return Revocation(str(ending.details.get("revocation", Decision.NOT_REQUESTED)))


def _is_of_last(outcome: AuditEvent, connection: OAuthConnection) -> bool:
    """Whether a revocation was asked for since the account was last connected."""
    requested_at, began = outcome.details.get("requested_at"), connection.connected_at
    return not (requested_at and began) or datetime.fromisoformat(requested_at) >= began


def _pending(job: RevocationJob) -> Revocation:
    verification = job.verification
    return Revocation(JobState.PENDING, job.attempts, job.last_error, verification=verification)


def _settled(event: AuditEvent) -> Revocation:
    """Read how the telling ended; a skipped one says itself why."""
    by_action: dict[str, str] = {
        Action.TOKEN_REVOKED: JobState.REVOKED,
        Action.TOKEN_REVOCATION_ABANDONED: JobState.ABANDONED,
    }
    details: dict[str, Any] = event.details
    skipped = str(details.get("result", Decision.SHARED_GRANT))
    state = by_action.get(event.action, skipped)
    return Revocation(
        state,
        details.get("attempts", 0),
        finished_at=event.occurred_at,
        verification=str(details.get("verification", "")),
    )
