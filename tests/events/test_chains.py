"""What waits for an endpoint is sent in few claims, each connection's events in their order."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.core.database import in_index_order
from connections_project.core.ids import uuid7
from connections_project.events import outbox
from connections_project.events.audience import audience
from connections_project.events.claims import Wanted, claim
from connections_project.events.models import Delivery, Endpoint
from connections_project.events.outbox import Fact
from connections_project.events.replay import resend
from connections_project.events.worker import deliver
from connections_project.identity.origins import command_origin
from tests.support.event_receiver import Receiver
from tests.support.platform_server import Answer, PlatformServer, Request

pytestmark = pytest.mark.django_db(transaction=True)


def written(*numbers: int) -> list[UUID]:
    """Write so many events of one connection after the other, and give the connections."""
    keys = [uuid7() for _ in numbers]
    for key, number in zip(keys, numbers, strict=True):
        facts = [Fact(type="connection.recovered", data={}, connection_id=key)] * number
        outbox.write(facts, audience())
    return keys


def test_many_of_one_connection_cost_few_statements(receiver: Receiver) -> None:
    counts = []
    # The first success of all is noted besides.
    for number in (1, 2, 14):
        written(number)
        with CaptureQueriesContext(connection) as statements:
            assert list(deliver()) == ["delivered"] * number
        counts.append(len(statements))
    assert counts[1] == counts[2]
    assert len(receiver.requests) == 17


def test_a_chain_ends_at_what_is_not_taken(receiver: Receiver, host: PlatformServer) -> None:
    one, other = written(3, 3)
    refused = Delivery.objects.filter(connection_id=one).order_by("sequence")[1]

    def answer(request: Request) -> Answer:
        return Answer(404 if request.headers["webhook-id"] == str(refused.event_id) else 204)

    host.on("POST", receiver.path, answer)
    Delivery.objects.update(due_at=timezone.now())
    list(deliver(due_by=timezone.now()))
    states = Delivery.objects.order_by("sequence").values_list("state", "attempts")
    of_one = [("delivered", 1), ("pending", 1), ("pending", 0)]
    assert list(states.filter(connection_id=one)) == of_one
    assert list(states.filter(connection_id=other)) == [("delivered", 1)] * 3
    assert not Delivery.objects.exclude(lease=None).exists()


def test_a_chain_has_no_gap(receiver: Receiver) -> None:
    """As where a replay makes an earlier one due while later ones are under way."""
    written(4)
    third = Delivery.objects.order_by("sequence")[2]
    until = timezone.now() + timedelta(minutes=1)
    Delivery.objects.filter(pk=third.pk).update(lease=uuid7(), leased_until=until)
    (chain,) = claim(uuid7(), Wanted(timezone.now()), threads=4).jobs
    assert [one.sequence < third.sequence for one in chain.deliveries] == [True, True]


def test_what_waited_for_one_that_is_resent_goes_on_after_it(
    receiver: Receiver, host: PlatformServer
) -> None:
    written(3)
    later = timezone.now() + timedelta(hours=1)
    Delivery.objects.update(due_at=later)
    first = Delivery.objects.order_by("sequence")[0]
    assert list(deliver()) == []
    resend([first.pk], origin=command_origin(None))
    assert list(deliver()) == ["delivered"] * 3
    sequences = [event["data"]["sequence"] for event in receiver.events]
    assert sequences == sorted(sequences)


def test_successes_between_faults_keep_the_circuit_closed(
    receiver: Receiver, host: PlatformServer
) -> None:
    answers = [Answer(500 if number % 2 else 204) for number in range(16)]
    host.on("POST", receiver.path, *answers, lambda _: Answer(204))
    written(*[1] * 16)
    assert list(deliver()).count("delivered") == 16
    assert Endpoint.objects.get().blocked_until is None


@pytest.mark.parametrize(("ahead", "sent"), [(1, 0), (50, 0), (20 * 60, 1)])
def test_a_wait_longer_than_any_was_set_by_a_wrong_clock(
    receiver: Receiver, ahead: int, sent: int
) -> None:
    until = timezone.now() + timedelta(minutes=ahead)
    Endpoint.objects.update(faults=5, blocked_until=until)
    written(1)
    assert list(deliver()) == ["delivered"] * sent


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="its plans are PostgreSQL's own")
def test_heads_are_found_by_order_in_a_table_just_filled(receiver: Receiver) -> None:
    written(*[20] * 50)
    with transaction.atomic(), in_index_order():
        plan = Delivery.claimable(timezone.now()).filter(endpoint=receiver.endpoint).explain()
    assert ("event_delivery_due" in plan, "event_delivery_order" in plan) == (True, True), plan
