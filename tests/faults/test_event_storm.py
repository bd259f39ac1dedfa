"""State changes by several writers while workers and the web are killed and Redis forgets all.

`EVENT_STORM=10000,500` makes it as large as it is to be believed in: changes, connections.
"""

import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from uuid import UUID

import pytest
import redis
import requests
from django.conf import LazySettings, settings
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.records import record_about
from connections_project.events.models import Delivery, OutgoingEvent
from connections_project.identity.models import User
from connections_project.identity.tokens import access_token
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import Deployment, wait_until, wait_while_it_shrinks
from tests.support.event_receiver import Receiver, receiver_at
from tests.support.platform_server import Answer, PlatformServer, free_port
from tests.support.platform_server import Request as Received
from tests.support.provider_rows import connection_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

CHANGES, CONNECTIONS = map(int, os.environ.get("EVENT_STORM", "400,40").split(","))
WRITERS, KILLS, ENDED = 8, 5, 20
ORIGIN = Origin(ActorType.SYSTEM, None, Interface.WORKER)
TIMES = {
    "EVENT_ALLOWED_NETWORKS": "127.0.0.0/8",
    "EVENT_RETRY_SECONDS": "1",
    "EVENT_LEASE_SECONDS": "4",
}


def change(pk: UUID) -> None:
    """Change a connection's state: it comes to need attention, or needs none any more."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=pk)
        now = timezone.now()
        if row.attention_reason:
            row.be_healthy(renewed=False, now=now)
            action, outcome = Action.PROVIDER_TOKEN_REFRESHED, Outcome.SUCCESS
        else:
            row.need_attention(AttentionReason.PLATFORM_ERROR, now=now)
            action, outcome = Action.PROVIDER_TOKEN_REFRESH_FAILED, Outcome.FAILURE
        row.save()
        record_about(row, action, origin=ORIGIN, outcome=outcome)


@contextmanager
def writing(keys: list[UUID]) -> Iterator[list[threading.Thread]]:
    """Have all changes made, by threads that meet at the same connections."""

    def write(number: int) -> None:
        choose = random.Random(number)
        try:
            for _ in range(CHANGES // WRITERS):
                change(choose.choice(keys))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    with pytest.MonkeyPatch.context() as patch:
        # The tests' own settings have no broker: writers leave all of it to the workers.
        patch.setattr("connections_project.events.announce.dispatch_deliveries", lambda _: None)
        for thread in threads:
            thread.start()
        yield threads
        for thread in threads:
            thread.join()


def is_whole(request: Received) -> bool:
    """Whether its sender lived to the end of it."""
    return len(request.body) == int(request.headers["Content-Length"])


@dataclass
class Taker:
    """Takes events, notes when each came first, and fails a share of all tries.

    Signatures are verified as they come: after five minutes they are too old.
    """

    receiver: Receiver
    failing: float
    taken: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def __call__(self, request: Received) -> Answer:
        if not is_whole(request):
            return Answer(500)
        try:
            event_id = self.receiver.verify(request)["id"]
        except WebhookVerificationError as error:
            self.refused.append(str(error))
            return Answer(500)
        if self.chance.random() < self.failing:
            return Answer(500)
        self.taken.setdefault(event_id, time.time())
        return Answer(204)


def test_every_change_arrives_once_and_in_order(
    owner: User, bank: Bank, deploy: Deploy, settings: LazySettings
) -> None:
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    keys, ending = connections(owner, CONNECTIONS, "c"), connections(owner, ENDED, "ending")
    with PlatformServer() as host, PlatformServer() as dead:
        receiver, hung = receiver_at(host), receiver_at(dead)
        taker = Taker(receiver, failing=0.3)
        host.on("POST", receiver.path, taker)
        dead.on("POST", hung.path, lambda _: Answer(204, delay=60))
        deployment = deploy(**TIMES)
        with deployment.beat():
            with writing(keys), disconnecting(deployment, owner, ending):
                kill_workers(deployment, host)
            with deployment.workers(2):
                pending = Delivery.pending().filter(endpoint=receiver.endpoint)
                wait_while_it_shrinks(pending.count)
                wait_while_it_shrinks(RevocationJob.pending().count)
                wait_while_it_shrinks(pending.count)
        check(taker)
        assert not Delivery.objects.filter(endpoint=hung.endpoint, state="delivered").exists()


def connections(owner: User, number: int, kind: str) -> list[UUID]:
    return [connection_of(owner, account_id=f"{kind}-{count}").pk for count in range(number)]


def kill_workers(deployment: Deployment, host: PlatformServer) -> None:
    """Kill workers in the middle of their deliveries, and have Redis forget everything."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    for number in range(KILLS):
        with deployment.workers(1) as (worker,):
            enough = len(host.requests) + CHANGES // 40
            wait_until(lambda: len(host.requests) > enough, why=worker.said)  # noqa: B023 - now.
            worker.kill()
        if number in {1, 3}:
            broker.flushdb()


@contextmanager
def disconnecting(deployment: Deployment, owner: User, keys: list[UUID]) -> Iterator[None]:
    """Disconnect connections at a web process that is killed meanwhile, and started again."""

    port = free_port()
    with ThreadPoolExecutor(1) as thread:
        killed = thread.submit(disconnect_all, deployment, port, owner, keys, is_killed=True)
        yield
        killed.result()
    assert disconnect_all(deployment, port, owner, keys) == [200] * len(keys)


def disconnect_all(
    deployment: Deployment, port: int, owner: User, keys: list[UUID], *, is_killed: bool = False
) -> list[int]:
    with deployment.web(port) as web, ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(disconnect, port, owner, key) for key in keys]
        if is_killed:
            wait_until(lambda: any(one.done() for one in asked))
            web.kill()
    return [one.result() for one in asked]


def disconnect(port: int, owner: User, key: UUID) -> int:
    """Disconnect by the API; give the status, or 0 where nobody answered."""
    bearer = {"Authorization": f"Bearer {access_token(owner)}"}
    url = f"http://127.0.0.1:{port}/api/v1/auth/{key}/disconnect"
    try:
        return requests.delete(url, headers=bearer, timeout=20).status_code
    except requests.RequestException:
        return 0


def check(taker: Taker) -> None:
    """Verify what came: each signature, no event missing, and each connection's order."""
    written = {str(event.pk): event for event in OutgoingEvent.objects.all()}
    types = Counter(event.type for event in written.values())
    assert types.pop("connection.disconnected") == types.pop("revocation.succeeded") == ENDED
    assert types.total() == CHANGES // WRITERS * WRITERS
    assert taker.refused == []
    taken = taker.taken
    assert set(taken) == set(written)
    first_taken: dict[str, list[int]] = defaultdict(list)
    for event_id in sorted(taken, key=taken.__getitem__):
        event = written[event_id]
        first_taken[str(event.connection_id)].append(event.sequence)
    assert all(one == sorted(one) for one in first_taken.values())
    bodies = defaultdict(set)
    for request in filter(is_whole, taker.receiver.requests):
        bodies[request.headers["webhook-id"]].add(request.body)
    assert all(len(one) == 1 for one in bodies.values())


def test_a_hung_endpoint_hardly_delays_another(
    owner: User, bank: Bank, deploy: Deploy, settings: LazySettings
) -> None:
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    ending, port = connections(owner, 40 + CHANGES // 50, "ending"), free_port()
    deployment = deploy(EVENT_ALLOWED_NETWORKS="127.0.0.0/8", RATE_LIMIT_API_WRITE="9999/9999")
    with PlatformServer() as host, PlatformServer() as dead:
        receiver, hung = receiver_at(host), receiver_at(dead)
        taker = Taker(receiver, failing=0.0)
        host.on("POST", receiver.path, taker)
        dead.on("POST", hung.path, lambda _: Answer(204, delay=60))
        with deployment.beat(), deployment.workers(1), deployment.web(port):
            for key in ending:
                assert disconnect(port, owner, key) == 200
            pending = Delivery.pending().filter(endpoint=receiver.endpoint)
            wait_while_it_shrinks(pending.count)
    written = OutgoingEvent.objects.filter(pk__in=taker.taken)
    delays = [taker.taken[str(event.pk)] - event.occurred_at.timestamp() for event in written]
    assert len(delays) >= len(ending)
    assert quantiles(delays, n=100)[-1] < 2.0
