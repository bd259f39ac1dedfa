"""Deliver one claimed event: send it, then record what came of it."""

import logging
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_network

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from connections_project.core.database import release_connections
from connections_project.core.instruments import EVENT_DELIVERIES
from connections_project.core.vault import DecryptionError
from connections_project.events.circuits import note_failure, note_success
from connections_project.events.endpoints import SYSTEM, disable
from connections_project.events.models import Delivery, DeliveryState
from connections_project.events.payload import body
from connections_project.events.signing import headers
from connections_project.oauth.guarded import Fetched, FetchError, GuardedClient
from connections_project.oauth.waiting import retry_after_seconds

logger = logging.getLogger(__name__)

ATTEMPT_SECONDS = 15.0
LARGEST_ANSWER = 64 * 1024
GONE = 410
# What an endpoint says of itself, not of one event.
BUSY = frozenset({408, 425, 429})


def attempt(delivery: Delivery, *, within: float = ATTEMPT_SECONDS) -> str:
    """Try a delivery that the caller has claimed, with its endpoint and its event.

    Args:
        delivery: It is over or due later afterwards.
        within: Seconds that the endpoint is given in all.

    Returns:
        Its state.
    """
    try:
        answer = _send(delivery, within=min(within, longest_try()))
    except FetchError as error:
        return _failed(delivery, error.code, is_endpoints=True)
    except DecryptionError:
        logger.critical("No key reads the secret of event endpoint %s", delivery.endpoint_id)
        return _failed(delivery, "unreadable_secret", is_endpoints=True)
    if 200 <= answer.status < 300:
        return _delivered(delivery, answer.status)
    if answer.status == GONE:
        disable(delivery.endpoint, reason="It answered 410 Gone.", origin=SYSTEM)
    wait = retry_after_seconds(answer.headers.get("Retry-After"))
    is_endpoints = answer.status >= 500 or answer.status in BUSY
    word = f"status_{answer.status}"
    return _failed(delivery, word, answer.status, wait=wait, is_endpoints=is_endpoints)


def longest_try() -> float:
    """Return the seconds that a try may take: it is over before its lease is."""
    return min(ATTEMPT_SECONDS, 0.9 * settings.EVENT_LEASE_SECONDS)


def _send(delivery: Delivery, *, within: float) -> Fetched:
    content, endpoint = body(delivery.event), delivery.endpoint
    signed = headers(endpoint, event_id=str(delivery.event_id), body=content, now=timezone.now())
    release_connections()
    return _client(tuple(settings.EVENT_ALLOWED_NETWORKS)).send(
        "POST",
        endpoint.url,
        within=within,
        headers={"Content-Type": "application/json", **signed},
        body=content,
    )


@cache
def _client(networks: tuple[str, ...]) -> GuardedClient:
    return GuardedClient(networks=[ip_network(one) for one in networks], largest=LARGEST_ANSWER)


def _delivered(delivery: Delivery, status: int) -> str:
    now = timezone.now()
    with transaction.atomic():
        _end(delivery, DeliveryState.DELIVERED, now, status_code=status)
        if delivery.attempts > 1:
            _have_followers_tried(delivery, now)
    note_success(delivery.endpoint)
    EVENT_DELIVERIES.labels(str(delivery.endpoint_id), "delivered").inc()
    return DeliveryState.DELIVERED


def _failed(
    delivery: Delivery,
    error: str,
    status: int | None = None,
    *,
    wait: int | None = None,
    is_endpoints: bool,
) -> str:
    """Record a try in vain.

    Args:
        delivery: As it was claimed.
        error: What happened, as a word for programs.
        status: What was answered, if anything was.
        wait: Seconds that the endpoint asks to be left alone.
        is_endpoints: Whether that speaks of the endpoint rather than of this event.
    """
    now, ends_at = timezone.now(), end_of_life(delivery)
    columns = {"status_code": status, "last_error": error}
    is_over = now >= ends_at
    with transaction.atomic():
        if is_over:
            _end(delivery, DeliveryState.GIVEN_UP, now, **columns)
            _have_followers_tried(delivery, now)
        else:
            due_at = min(now + _wait(delivery.attempts, wait), ends_at)
            delivery.give_back(due_at=due_at, tried_at=now, **columns)
            _have_followers_wait(delivery, due_at)
    if is_endpoints:
        note_failure(delivery.endpoint, retry_after=wait)
    outcome = "given_up" if is_over else "failed"
    EVENT_DELIVERIES.labels(str(delivery.endpoint_id), outcome).inc()
    level = logging.ERROR if is_over else logging.WARNING
    outcome_of = (delivery.event_id, delivery.endpoint_id, outcome, error)
    logger.log(level, "Event %s at endpoint %s: %s, %s", *outcome_of)
    return DeliveryState.GIVEN_UP if is_over else DeliveryState.PENDING


def _end(delivery: Delivery, state: DeliveryState, now: datetime, **columns: object) -> None:
    columns = {"last_error": "", **columns}
    delivery.give_back(state=state, finished_at=now, tried_at=now, **columns)


def end_of_life(delivery: Delivery) -> datetime:
    return delivery.begun_at + timedelta(seconds=settings.EVENT_GIVE_UP_SECONDS)


def _wait(attempts: int, wanted: int | None) -> timedelta:
    waits = settings.EVENT_RETRY_SECONDS
    planned = waits[min(max(attempts, 1), len(waits)) - 1]
    return timedelta(seconds=max(planned, wanted or 0))


def _followers(delivery: Delivery) -> "models.QuerySet[Delivery]":
    """Return what waits for this delivery, as later events of its connection do."""
    if delivery.connection_id is None:
        return Delivery.objects.none()
    return Delivery.pending().filter(
        endpoint=delivery.endpoint_id,
        connection_id=delivery.connection_id,
        sequence__gt=delivery.sequence,
    )


def _have_followers_wait(delivery: Delivery, due_at: datetime) -> None:
    """Keep what can't be claimed before then out of what is due, where it would be looked at."""
    _followers(delivery).filter(due_at__lt=due_at).update(due_at=due_at)


def _have_followers_tried(delivery: Delivery, now: datetime) -> None:
    _followers(delivery).filter(due_at__gt=now, attempts=0).update(due_at=now)
