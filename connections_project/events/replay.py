"""Have events delivered once more: a span of them, or single deliveries."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from audit.events import Action
from audit.record import Origin, record
from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.jobs.lease import FREED
from connections_project.core.parsing import render_datetime
from connections_project.events.attempts import followers_of, lock_in_order
from connections_project.events.models import Delivery, DeliveryState, Endpoint, OutgoingEvent
from connections_project.events.types import EventType
from connections_project.events.worker import process_deliveries

BATCH = 1000


def replay(
    endpoint: Endpoint,
    *,
    since: datetime,
    until: datetime | None = None,
    types: Collection[str] = (),
    origin: Origin,
) -> int:
    """Have the events of a span delivered to an endpoint once more, in their order.

    What the endpoint doesn't want is left out, and what is pending stays as it is.

    Args:
        since: From then on, by the time at which they were written.
        until: Before then; up to now where it is None.
        types: Of these alone; all where there are none.

    Returns:
        How many.
    """
    events = _span(endpoint, since, until, types)
    number, after = 0, (-1, UUID(int=0))
    while batch := list(_behind(events, after)):
        number += _again(endpoint, batch)
        after = batch[-1].sequence, batch[-1].pk
    details = {"since": render_datetime(since), "events": number, "types": ",".join(types)}
    details |= {"until": render_datetime(until)} if until else {}
    with transaction.atomic():
        _record(Action.EVENTS_REPLAYED, "events.endpoint", endpoint.pk, details, origin)
        notify_workers(process_deliveries)
    return number


def resend(delivery_ids: Collection[UUID], *, origin: Origin) -> int:
    """Have single deliveries tried next, also such as are over.

    Returns:
        How many; one that is being tried just now is left alone.
    """
    with transaction.atomic():
        deliveries, followers = _locked(Delivery.objects.filter(pk__in=delivery_ids))
        _begin_again(Delivery.objects.filter(pk__in=[one.pk for one in deliveries]))
        followers.update(due_at=clock.now())
        for delivery in deliveries:
            details = {"endpoint": str(delivery.endpoint_id), "event": str(delivery.event_id)}
            action = Action.EVENT_DELIVERY_RESENT
            _record(action, "events.delivery", delivery.pk, details, origin)
        notify_workers(process_deliveries)
    return len(deliveries)


def _locked(chosen: "QuerySet[Delivery]") -> tuple[Sequence[Delivery], "QuerySet[Delivery]"]:
    """Lock what nobody tries of some deliveries, with what goes on after them.

    The endpoints first, as claims and replays do; then all rows in one order, as failures do.
    """
    endpoints = Endpoint.objects.filter(pk__in=chosen.values("endpoint"))
    list(endpoints.select_for_update(no_key=True).order_by("pk"))
    free = chosen.filter(lease=None)
    # Those that were put off with them, and were never tried themselves.
    followers = followers_of(list(free)).filter(attempts=0, lease=None)
    lock_in_order(free, followers)
    return list(free.order_by("pk")), followers


def _record(
    action: Action, subject_type: str, subject_id: UUID, details: dict[str, Any], origin: Origin
) -> None:
    record(
        action,
        origin=origin,
        subject_type=subject_type,
        subject_id=subject_id,
        subject_owner_id=None,
        details=details,
    )


def _span(
    endpoint: Endpoint, since: datetime, until: datetime | None, types: Collection[str]
) -> "QuerySet[OutgoingEvent]":
    events = OutgoingEvent.objects.filter(occurred_at__gte=since, sequence__gte=_sequence(since))
    events = events.exclude(type=EventType.TEST)
    wanted = set(filter(None, endpoint.types.split(",")))
    if types or wanted:
        events = events.filter(type__in=set(types or wanted) & (wanted or set(types)))
    return events.filter(occurred_at__lt=until) if until else events


def _sequence(at: datetime) -> int:
    """Return a sequence that is surely smaller than those of events written from a time on."""
    return int((at.timestamp() - 60) * 1_000_000)


def _behind(
    events: "QuerySet[OutgoingEvent]", after: tuple[int, UUID]
) -> "QuerySet[OutgoingEvent]":
    sequence, pk = after
    rows = events.filter(sequence__gte=sequence).exclude(sequence=sequence, pk__lte=pk)
    return rows.order_by("sequence", "pk").defer("data")[:BATCH]


def _again(endpoint: Endpoint, events: Sequence[OutgoingEvent]) -> int:
    """Make the events' deliveries due: again where they are over, anew where there are none."""
    ids = [event.pk for event in events]
    with transaction.atomic():
        # Of two replays the second one finds what the first has made, and leaves it as it is.
        Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        # Events first, as the retention does (`sweep.py`): what it forgets is waited for.
        kept = OutgoingEvent.objects.filter(pk__in=ids).order_by("sequence")
        ids = [event.pk for event in kept.select_for_update(no_key=True, of=("self",))]
        known = Delivery.objects.filter(endpoint=endpoint, event__in=ids)
        now, over = clock.now(), known.exclude(state=DeliveryState.PENDING)
        again = _begin_again(over)
        missing = OutgoingEvent.objects.filter(pk__in=ids).exclude(
            Exists(Delivery.objects.filter(endpoint=endpoint, event=OuterRef("pk")))
        )
        made = Delivery.objects.bulk_create(
            event.delivery_to(endpoint.pk, at=now) for event in missing.order_by("sequence")
        )
    return again + len(made)


def _begin_again(deliveries: "QuerySet[Delivery]") -> int:
    now = clock.now()
    fresh: dict[str, Any] = {"state": DeliveryState.PENDING, "attempts": 0, "finished_at": None}
    return deliveries.update(due_at=now, begun_at=now, **fresh, **FREED)
