"""Store what has become of deliveries that were tried, many at a time."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef

from audit.record import WORKER
from connections_project.core import clock
from connections_project.core.instruments import EVENT_DELIVERIES
from connections_project.core.jobs.lease import FREED
from connections_project.events.chains import Answer, Chain, Tried, send_chain
from connections_project.events.circuits import note_answers
from connections_project.events.claims import give_back, held
from connections_project.events.endpoints import disable
from connections_project.events.models import Delivery, DeliveryState

logger = logging.getLogger(__name__)

GONE = 410
# State, when it is due again, status of the answer, error.
Ending = tuple[str, datetime | None, int | None, str]


def attempt(chain: Chain) -> None:
    """Try deliveries that the caller has claimed."""
    settle([send_chain(chain)])


def settle(tries: Sequence[Tried]) -> list[str]:
    """Store what has become of deliveries, those that end alike by one statement.

    Returns:
        The state of each that was tried; "pending" for one that was put off.
    """
    now = clock.now()
    answers = [answer for tried in tries for answer in tried.answers]
    states = [_state(answer, now) for answer in answers]
    alike = defaultdict[Ending, list[Answer]](list)
    for answer, state in zip(answers, states, strict=True):
        due_at = _due_at(answer, now) if state == DeliveryState.PENDING else None
        alike[state, due_at, answer.status, answer.error].append(answer)
    put_off = [answer.delivery for answer in answers if answer.error]
    with transaction.atomic():
        if put_off:
            # What is sent again just now (`replay.py`) may be among them.
            lock_in_order(followers_of(put_off))
        give_back(delivery for tried in tries for delivery in tried.untried)
        for (state, due_at, *_), group in alike.items():
            _store(group, state, due_at, now)
    _tell_endpoints(answers)
    _count(answers, states)
    return states


def _state(answer: Answer, now: datetime) -> str:
    if not answer.error:
        return DeliveryState.DELIVERED
    is_over = now >= end_of_life(answer.delivery)
    return DeliveryState.GIVEN_UP if is_over else DeliveryState.PENDING


def end_of_life(delivery: Delivery) -> datetime:
    return delivery.begun_at + timedelta(seconds=settings.EVENT_GIVE_UP_SECONDS)


def _due_at(answer: Answer, now: datetime) -> datetime:
    waits = settings.EVENT_RETRY_SECONDS
    planned = waits[min(max(answer.delivery.attempts, 1), len(waits)) - 1]
    wait = timedelta(seconds=max(planned, answer.wait or 0))
    return min(now + wait, end_of_life(answer.delivery))


def _store(group: Sequence[Answer], state: str, due_at: datetime | None, now: datetime) -> None:
    """Store tries that ended alike, of deliveries that are still held by whoever tried them."""
    deliveries, one = [answer.delivery for answer in group], group[0]
    known = {"status_code": one.status, "last_error": one.error, "tried_at": now}
    end = {"due_at": due_at} if due_at else {"state": state, "finished_at": now}
    for rows in held(deliveries):
        rows.update(**FREED, **known, **end)
    if due_at:
        # What can't be claimed before then is kept out of what is due, where it would be looked at.
        followers_of(deliveries).filter(due_at__lt=due_at).update(due_at=due_at)


def followers_of(deliveries: Collection[Delivery]) -> "models.QuerySet[Delivery]":
    """Return what waits for some deliveries, as later events of their connections do."""
    connections = {one.connection_id for one in deliveries} - {None}
    earlier = Delivery.objects.filter(
        pk__in=[one.pk for one in deliveries],
        endpoint=OuterRef("endpoint"),
        connection_id=OuterRef("connection_id"),
        sequence__lt=OuterRef("sequence"),
    )
    endpoints = {one.endpoint_id for one in deliveries}
    rows = Delivery.pending().filter(endpoint__in=endpoints, connection_id__in=connections)
    return rows.filter(Exists(earlier))


def lock_in_order(*sets: "models.QuerySet[Delivery]") -> None:
    """Lock deliveries for the caller's transaction by one statement, in the order of their keys."""
    ids = {pk for rows in sets for pk in rows.values_list("pk", flat=True)}
    rows = Delivery.objects.filter(pk__in=ids).order_by("pk")
    list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))


def _tell_endpoints(answers: Sequence[Answer]) -> None:
    by_endpoint = defaultdict[object, list[Answer]](list)
    for answer in answers:
        by_endpoint[answer.delivery.endpoint_id].append(answer)
    for group in by_endpoint.values():
        endpoint = group[-1].delivery.endpoint
        if any(answer.status == GONE for answer in group):
            disable(endpoint, reason="It answered 410 Gone.", origin=WORKER)
        note_answers(endpoint, group)


def _count(answers: Sequence[Answer], states: Sequence[str]) -> None:
    for answer, state in zip(answers, states, strict=True):
        outcome = "failed" if state == DeliveryState.PENDING else str(state)
        delivery = answer.delivery
        EVENT_DELIVERIES.labels(str(delivery.endpoint_id), outcome).inc()
        if answer.error:
            level = logging.ERROR if state == DeliveryState.GIVEN_UP else logging.WARNING
            about = (delivery.event_id, delivery.endpoint_id, outcome, answer.error)
            logger.log(level, "Event %s at endpoint %s: %s, %s", *about)
