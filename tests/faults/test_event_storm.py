"""State changes by several writers while workers are killed and Redis forgets everything.

`EVENT_STORM=10000,500` makes it as large as it is to be believed in: changes, connections.
"""

import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
import redis
from django.conf import LazySettings, settings
from django.db import connection, transaction
from django.utils import timezone

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.records import record_about
from connections_project.events.models import Delivery, Endpoint, OutgoingEvent
from connections_project.identity.models import User
from providers.models import Connection
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import wait_until
from tests.support.event_receiver import Receiver, receiver_at
from tests.support.platform_server import Answer, PlatformServer
from tests.support.platform_server import Request as Received
from tests.support.provider_rows import connection_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

CHANGES, CONNECTIONS = map(int, os.environ.get("EVENT_STORM", "400,40").split(","))
WRITERS, KILLS = 8, 5
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
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join()


def is_whole(request: Received) -> bool:
    """Whether its sender lived to the end of it."""
    return len(request.body) == int(request.headers["Content-Length"])


def three_in_ten_fail(seed: int, taken: dict[str, float]) -> object:
    chance = random.Random(seed)

    def answer(request: Received) -> Answer:
        if chance.random() < 0.3 or not is_whole(request):
            return Answer(500)
        taken.setdefault(request.headers["webhook-id"], time.time())
        return Answer(204)

    return answer


def test_every_change_arrives_once_and_in_order(
    owner: User, bank: Bank, deploy: Deploy, settings: LazySettings
) -> None:
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    keys: list[UUID] = [
        connection_of(owner, account_id=f"c-{number}").pk for number in range(CONNECTIONS)
    ]
    taken: dict[str, float] = {}
    with PlatformServer() as host, PlatformServer() as dead:
        receiver, hung = receiver_at(host), receiver_at(dead)
        host.on("POST", receiver.path, three_in_ten_fail(1, taken))  # type: ignore[arg-type]
        dead.on("POST", hung.path, lambda _: Answer(204, delay=60))
        # The tests' own settings have no broker: writers leave all of it to the workers.
        Endpoint.objects.update(created_at=timezone.now())
        run_storm(deploy, keys, receiver)
        check(receiver, taken)
        assert not Delivery.objects.filter(endpoint=hung.endpoint, state="delivered").exists()


def run_storm(deploy: Deploy, keys: list[UUID], receiver: Receiver) -> None:
    deployment, broker = deploy(**TIMES), redis.Redis.from_url(settings.REDIS_URL)
    with pytest.MonkeyPatch.context() as patch, deployment.beat():
        patch.setattr("connections_project.events.announce.dispatch_deliveries", lambda _: None)
        with writing(keys):
            for number in range(KILLS):
                with deployment.workers(1) as (worker,):
                    time.sleep(1)
                    worker.kill()
                if number in {1, 3}:
                    broker.flushdb()
        with deployment.workers(2):
            pending = Delivery.pending().filter(endpoint=receiver.endpoint)
            wait_until(lambda: not pending.exists(), why=lambda: f"{pending.count()} are pending")


def check(receiver: Receiver, taken: dict[str, float]) -> None:
    """Verify what came: each signature, no event missing, and each connection's order."""
    written = {str(event.pk): event for event in OutgoingEvent.objects.all()}
    assert len(written) == CHANGES // WRITERS * WRITERS
    assert set(taken) == set(written)
    whole = [request for request in receiver.requests if is_whole(request)]
    assert {receiver.verify(request)["id"] for request in whole} == set(written)
    first_taken: dict[str, list[int]] = defaultdict(list)
    for event_id in sorted(taken, key=taken.__getitem__):
        event = written[event_id]
        first_taken[str(event.connection_id)].append(event.sequence)
    assert all(one == sorted(one) for one in first_taken.values())
    bodies = defaultdict(set)
    for request in whole:
        bodies[request.headers["webhook-id"]].add(request.body)
    assert all(len(one) == 1 for one in bodies.values())
