"""Several replays to one endpoint at the same moment, and what else writes its deliveries."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.core.jobs.claim import lease_jobs
from connections_project.events import audience, endpoints
from connections_project.events.attempts import settle
from connections_project.events.chains import Answer, Chain, Tried
from connections_project.events.models import Delivery, Endpoint, OutgoingEvent
from connections_project.events.replay import replay, resend
from connections_project.events.sweep import forget_old_events
from connections_project.identity.origins import command_origin
from tests.races.conftest import at_once
from tests.support.admin_rows import outgoing_events

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

EVENTS = 200
ROUNDS = 8


@pytest.fixture
def endpoint(db: None, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)
    endpoint, _ = endpoints.create(url="https://example.com", origin=command_origin(None))
    # Nobody is there to take them.
    Endpoint.objects.filter(pk=endpoint.pk).update(blocked_until=timezone.now() + timedelta(days=1))
    return endpoint


def test_each_event_is_made_due_and_counted_once(endpoint: Endpoint) -> None:
    outgoing_events(EVENTS)
    since = timezone.now() - timedelta(minutes=1)
    again = partial(replay, endpoint, since=since, origin=command_origin(None))
    assert sorted(at_once([again] * 4)) == [0, 0, 0, EVENTS]
    assert Delivery.objects.filter(endpoint=endpoint).count() == EVENTS


def chains(endpoint: Endpoint, connections: int, each: int) -> list[list[UUID]]:
    """Return the pending deliveries of some connections, in the order of their events."""
    keys = [uuid7() for _ in range(connections)]
    events = OutgoingEvent.objects.bulk_create(
        OutgoingEvent(sequence=number, type="connection.connected", occurred_at=timezone.now(),
                      connection_id=key, data="{}")
        for number in range(each) for key in keys
    )  # fmt: skip
    rows = Delivery.objects.bulk_create(
        Delivery(endpoint=endpoint, event=one, connection_id=one.connection_id,
                 sequence=one.sequence)
        for one in events
    )  # fmt: skip
    # As they come to lie after a while: in another order than that of their keys.
    for row in reversed(rows):
        Delivery.objects.filter(pk=row.pk).update(last_error="status_500")
    return [[row.pk for row in rows if row.connection_id == key] for key in keys]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows")
def test_what_is_sent_again_waits_for_others_without_a_ring(endpoint: Endpoint) -> None:
    """Of two connections, each call has the first of one and the second of the other."""
    for _ in range(ROUNDS):
        one, two = chains(endpoint, 2, each=20)
        calls = [[one[0], two[10]], [two[0], one[10]], [one[5], two[15]], [two[5], one[15]]]
        again = [partial(resend, ids, origin=command_origin(None)) for ids in calls]
        assert at_once(again) == [2, 2, 2, 2]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows")
def test_failures_beside_what_is_sent_again_make_no_ring(endpoint: Endpoint) -> None:
    for _ in range(ROUNDS):
        one, two = chains(endpoint, 2, each=20)
        heads = lease_jobs(list(Delivery.objects.filter(pk__in=[one[0], two[0]])))
        for head in heads:
            head.endpoint = endpoint
        tries = [
            Tried(Chain(endpoint, [head], 0.0), [Answer(head, f"status_{500 + number}")])
            for number, head in enumerate(heads)
        ]
        again = partial(resend, [*one[1:], *two[1:]], origin=command_origin(None))
        calls: list[Callable[[], Any]] = [again, partial(settle, tries)]
        assert at_once(calls) == [38, ["pending", "pending"]]


@pytest.mark.parametrize("order", ["replay", "retention"])
def test_a_replay_beside_the_end_of_its_events(endpoint: Endpoint, order: str) -> None:
    """What goes just now is passed over, by whoever comes second."""
    long_ago = timezone.now() - timedelta(days=40)
    outgoing_events(EVENTS)
    OutgoingEvent.objects.update(sequence=int(long_ago.timestamp() * 1_000_000))
    OutgoingEvent.objects.update(occurred_at=long_ago)
    since = long_ago - timedelta(minutes=1)
    again = partial(replay, endpoint, since=since, origin=command_origin(None))
    calls: list[Callable[[], int]] = [again, forget_old_events]
    at_once(calls if order == "replay" else calls[::-1])
    assert Delivery.objects.count() == OutgoingEvent.objects.count() in {0, EVENTS}
