"""Deliveries that are tried one after the other, because their order counts."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_network
from uuid import UUID

from django.conf import settings

from connections_project.core import clock
from connections_project.core.periodic import stopping
from connections_project.core.vault import DecryptionError
from connections_project.events.models import Delivery, Endpoint
from connections_project.events.payload import body
from connections_project.events.signing import headers
from connections_project.oauth.guarded import Fetched, FetchError, GuardedClient
from connections_project.oauth.waiting import retry_after_seconds

logger = logging.getLogger(__name__)

ATTEMPT_SECONDS = 15.0
LARGEST_ANSWER = 64 * 1024
# A chain that has taken this long tries no further delivery, so that its results are soon stored.
CHAIN_SECONDS = 0.5
# Statuses that concern the endpoint, not one event.
BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Chain:
    """Deliveries of one connection to one endpoint; or one delivery that has no order.

    Args:
        endpoint: As it was when they were claimed.
        deliveries: In the order of their events, without a gap.
        ends_at: When their lease ends, on the monotonic clock.
    """

    endpoint: Endpoint
    deliveries: Sequence[Delivery]
    ends_at: float

    @property
    def pk(self) -> UUID:
        first: UUID = self.deliveries[0].pk
        return first

    @property
    def lane(self) -> str:
        return lane_of(self.endpoint)


def lane_of(endpoint: Endpoint) -> str:
    """Return the name under which workers hold slots for an endpoint."""
    return f"events:{endpoint.pk}"


@dataclass(frozen=True)
class Answer:
    """What came of a try.

    Args:
        error: What happened, as a word for programs; empty where it was taken.
        wait: Seconds that the endpoint asks to be left alone.
        is_endpoints: Whether a failure speaks of the endpoint rather than of this event.
    """

    delivery: Delivery
    error: str = ""
    status: int | None = None
    wait: int | None = None
    is_endpoints: bool = False


@dataclass(frozen=True)
class Tried:
    """A chain, and the answers to as many of its deliveries as were tried, in their order."""

    chain: Chain
    answers: list[Answer] = field(default_factory=list)

    @property
    def lane(self) -> str:
        return self.chain.lane

    @property
    def is_well(self) -> bool:
        return not any(answer.error for answer in self.answers)

    @property
    def untried(self) -> Sequence[Delivery]:
        return self.chain.deliveries[len(self.answers) :]


def send_chain(chain: Chain, *, ends_at: float | None = None) -> Tried:
    """Try deliveries in their order, up to the first one that is not taken.

    Args:
        chain: As it was claimed.
        ends_at: When all of it is over, on the monotonic clock; None for when the lease is.
    """
    tried, began = Tried(chain), time.monotonic()
    until = min(chain.ends_at, chain.ends_at if ends_at is None else ends_at)
    for delivery in chain.deliveries:
        now = time.monotonic()
        goes_on = now - began < CHAIN_SECONDS and not stopping.is_set()
        if now >= until or (tried.answers and not goes_on):
            break
        # It is over, and stored, before the lease is.
        answer = _try(delivery, within=min(ATTEMPT_SECONDS, 0.9 * (until - now)))
        tried.answers.append(answer)
        if answer.error:
            break
    return tried


def _try(delivery: Delivery, *, within: float) -> Answer:
    try:
        fetched = _send(delivery, within=within)
    except FetchError as error:
        # That this process has no file left speaks of nobody else.
        return Answer(delivery, error.code, is_endpoints=error.code != "no_files")
    except DecryptionError:
        logger.critical("No key reads the secret of event endpoint %s", delivery.endpoint_id)
        return Answer(delivery, "unreadable_secret", is_endpoints=True)
    if 200 <= fetched.status < 300:
        return Answer(delivery, status=fetched.status)
    wait = retry_after_seconds(fetched.headers.get("Retry-After"))
    blamed = fetched.status >= 500 or fetched.status in BUSY
    code = f"status_{fetched.status}"
    return Answer(delivery, code, fetched.status, wait=wait, is_endpoints=blamed)


def _send(delivery: Delivery, *, within: float) -> Fetched:
    content, endpoint = body(delivery.event), delivery.endpoint
    signed = headers(endpoint, event_id=str(delivery.event_id), body=content, now=clock.now())
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
