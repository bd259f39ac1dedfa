"""A breach at a platform: stop using it, end everything there, and see that it is over everywhere.

Nothing is kept but what each step leaves in the tables anyway: the audit log says when it began,
and every step passes over what is done. So it can be killed anywhere, and run again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from audit.events import Action
from audit.models import AuditEvent
from audit.readable import read
from audit.record import Origin
from connections_project.connections.registry import ConnectionType, Rows, connection_types
from connections_project.core import clock
from connections_project.events.models import Delivery
from connections_project.events.worker import process_deliveries
from connections_project.oauth.loopback import is_loopback
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions, Result
from connections_project.operations.selectors import Selectors
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import UnknownPlatformError, upstream
from connections_project.platforms.suspend import record_about_platform, resume, suspend
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.worker import process_revocations

PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Breach:
    """What is being dealt with.

    Args:
        reason: Why, for the audit log.
        started_at: When it began, by the database's clock as all that is compared with it; a later
            call goes on with it.
        recorded_at: When the audit log says so; an older release's, by the clock of its host.
        for_real: False for a drill.
    """

    slug: str
    reason: str
    started_at: datetime
    recorded_at: datetime
    for_real: bool
    was_suspended: bool

    @property
    def ended(self) -> list[tuple[ConnectionType, Rows]]:
        """Return what was ended since it began, by type."""
        return [
            (one, rows.filter(disconnected_at__gte=self.started_at))
            for one, rows in rows_at(self.slug)
        ]

    @property
    def remaining(self) -> list[tuple[ConnectionType, Rows]]:
        """Return what is still to be ended, kept tokens too, by type."""
        return [(one, one.unfinished(rows, erase_tokens=True)) for one, rows in rows_at(self.slug)]

    @property
    def jobs(self) -> Any:
        return RevocationJob.objects.filter(platform=self.slug)

    @property
    def deliveries(self) -> Any:
        """Return the deliveries that tell of what was ended here."""
        since = int(self.started_at.timestamp() * 1_000_000)
        since_then = Delivery.objects.filter(sequence__gte=since)
        keys = [rows.values("pk") for _, rows in self.ended]
        return since_then.filter(
            connection_id__in=keys[0].union(*keys[1:]) if keys[1:] else keys[0]
        )


@dataclass(frozen=True)
class Waiting:
    """What is not over yet."""

    connections: int
    revocations: int
    deliveries: int

    @property
    def is_over(self) -> bool:
        return not (self.connections or self.revocations or self.deliveries)


def rows_at(slug: str) -> list[tuple[ConnectionType, Rows]]:
    """Return all connections at a platform, whatever their status, by type."""
    selected = Selectors(platform=slug)
    return [(one, selected.rows(one.app)) for one in connection_types()]


def is_on_this_machine(slug: str) -> bool:
    """Whether a platform is a sandbox on loopback, at which nobody's real access can end.

    Raises:
        UnknownPlatformError: The catalogue has no such slug.
    """
    found = upstream(slug)
    if found is None:
        raise UnknownPlatformError(slug)
    return is_loopback(urlsplit(found.platform.token_endpoint).hostname or "")


def begin(
    slug: str, *, reason: str, for_real: bool, origin: Origin, details: Mapping[str, Any]
) -> Breach:
    """Suspend the platform, and begin; go on with what was begun and not finished.

    A real breach is never the rest of a drill, at whose end the platform is resumed.
    """
    started = _under_way(slug)
    if started is None or (for_real and not started.details["for_real"]):
        was_suspended = Suspension.objects.filter(pk=slug).exists()
        began_at = clock.now().isoformat(timespec="microseconds")
        facts = {"for_real": for_real, "was_suspended": was_suspended, "began_at": began_at}
        _record(Action.BREACH_DRILL_STARTED, slug, reason, origin, {**facts, **details})
        started = max(_records(Action.BREACH_DRILL_STARTED, slug), key=_began_at)
    known, why = started.details, started.reason
    suspend(slug=slug, reason=why, origin=origin)
    return Breach(
        slug=slug,
        reason=why,
        started_at=_began_at(started),
        recorded_at=started.occurred_at,
        for_real=known["for_real"],
        was_suspended=known["was_suspended"],
    )


def _began_at(started: AuditEvent) -> datetime:
    """Return when a breach began; an older release's event has no time but its own."""
    noted: str | None = started.details.get("began_at")
    return datetime.fromisoformat(noted) if noted else started.occurred_at


def _under_way(slug: str) -> AuditEvent | None:
    """Return the record of what was begun last at a platform, unless it was finished."""
    began = _records(Action.BREACH_DRILL_STARTED, slug)
    last = max(began, key=_began_at, default=None)
    ends = _records(Action.BREACH_DRILL_FINISHED, slug)
    return last if last and not any(_is_end(one, last) for one in ends) else None


def _is_end(finished: AuditEvent, started: AuditEvent) -> bool:
    """Whether one ends the other, as it says; an older release's says nothing but its time."""
    noted = finished.details.get("began_at")
    if noted:
        return datetime.fromisoformat(noted) == _began_at(started)
    return finished.occurred_at >= started.occurred_at


def _records(action: Action, slug: str) -> list[AuditEvent]:
    """Return the readable events about a platform; SQLite fails at details that it can't parse."""
    found = read(AuditEvent.objects.filter(action=action))
    return [one for one in found if one.details.get("platform") == slug]


def end_all(
    breach: Breach,
    *,
    origin: Origin,
    details: Mapping[str, Any],
    on_batch: Callable[[Result], object] | None = None,
) -> Result:
    """End every connection there, with its schedules, and erase and revoke what was kept."""
    options = DisconnectOptions(breach.reason, cancel_schedules=True, erase_tokens=True)
    total = Result()
    for one, rows in breach.remaining:
        total += force_disconnect(
            one.app, rows, options, origin=origin, details=details, on_batch=on_batch
        )
    return total


def waiting(breach: Breach) -> Waiting:
    """Count what is not over yet."""
    return Waiting(
        connections=sum(rows.count() for _, rows in breach.remaining),
        revocations=breach.jobs.filter(state="pending").count(),
        deliveries=breach.deliveries.filter(state="pending").count(),
    )


def watch(breach: Breach, *, seconds: float, tell_seconds: float) -> Waiting:
    """Revoke and deliver beside the workers, until all is over or the time is.

    Args:
        seconds: For the revocations.
        tell_seconds: How much longer an endpoint that takes nothing is waited for.
    """
    revoked_by, told_by = time.monotonic() + seconds, None
    while True:
        process_revocations()
        process_deliveries()
        left, now = waiting(breach), time.monotonic()
        if not left.revocations and told_by is None:
            told_by = now + tell_seconds
        is_late = now > (revoked_by if left.revocations or told_by is None else told_by)
        if is_late or not (left.revocations or left.deliveries):
            return left
        time.sleep(PAUSE_SECONDS)


def finish(breach: Breach, *, origin: Origin, details: Mapping[str, Any]) -> None:
    """Note that it is over; after a drill the platform may be used again."""
    if not breach.for_real and not breach.was_suspended:
        resume(slug=breach.slug, reason="The drill is over.", origin=origin)
    began_at = breach.started_at.isoformat(timespec="microseconds")
    facts = {"began_at": began_at, **details}
    _record(Action.BREACH_DRILL_FINISHED, breach.slug, breach.reason, origin, facts)


def _record(
    action: Action, slug: str, reason: str, origin: Origin, details: Mapping[str, Any]
) -> None:
    with transaction.atomic():
        record_about_platform(action, slug=slug, reason=reason, origin=origin, **details)
