"""Scheduling beside disconnecting: nothing is left that would fire on a channel that is over."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from channels.models import ACTIVE, ChannelConnection, Schedule
from channels.selectors import locked_connections
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, at_once, meanwhile
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, new_schedule
from tests.support.chirp import Chirp, call_back, start

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]
CONNECTIONS = "/api/v1/channels/connections"


@pytest.fixture
def chirp(bank: Bank, use_catalogue: UseCatalogue) -> Chirp:
    made = Chirp(bank.server, numbers=bank.numbers)
    use_catalogue(made.catalogue(), "chirp")
    return made


@pytest.fixture
def row(owner: User, chirp: Chirp) -> ChannelConnection:
    return channel_of(owner)


def schedule(client: APIClient, row: ChannelConnection) -> int:
    body = {
        "channel_connection_id": str(row.pk),
        "content": "Hello",
        "run_at": (timezone.now() + timedelta(days=1)).isoformat(),
    }
    status: int = client.post("/api/v1/schedules", body, format="json").status_code
    return status


def disconnect(client: APIClient, row: ChannelConnection, query: str) -> int:
    return client.delete(f"{CONNECTIONS}/{row.pk}{query}").status_code


def left_behind() -> int:
    over = ChannelConnection.objects.filter(status="disconnected")
    return Schedule.objects.filter(channel_connection__in=over, status__in=ACTIVE).count()


# Each round is another chance to collide.
@pytest.mark.parametrize("_round", range(2))
@pytest.mark.parametrize("query", ["", "?cancel_schedules=true"])
def test_no_schedule_outlives_a_parallel_disconnect(
    row: ChannelConnection, make_clients: MakeClients, no_limits: None, query: str, _round: int
) -> None:
    clients = make_clients(24)
    makers, enders = clients[:20], clients[20:]
    calls: list[Callable[[], int]] = [partial(schedule, one, row) for one in makers]
    # Among them, not after them.
    for number, one in enumerate(enders):
        calls.insert(5 * number, partial(disconnect, one, row, query))
    statuses = at_once(calls)
    row.refresh_from_db()
    made = Schedule.objects.count()
    assert left_behind() == 0
    assert set(statuses) <= {200, 201, 400}
    assert statuses.count(201) == made
    if query:
        assert row.status == "disconnected"
        assert Schedule.objects.filter(status="cancelled").count() == made
    recorded = AuditEvent.objects.filter(action="CHANNEL_DISCONNECTED").count()
    assert recorded == (row.status == "disconnected")
    # A refused disconnect is one that has seen a schedule.
    assert row.status == "disconnected" or Schedule.objects.filter(status="pending").exists()


def test_cancelling_and_disconnecting_do_not_deadlock(
    row: ChannelConnection, make_clients: MakeClients, no_limits: None
) -> None:
    made = [new_schedule(row) for _ in range(1000)]
    # Stored against the order of their ids: a statement that takes all of them meets them so.
    Schedule.objects.bulk_create(made[::-1])
    ids = [str(each.pk) for each in made]
    clients = make_clients(6)

    def cancel(client: APIClient, ids: list[str]) -> int:
        body = {"schedule_ids": ids}
        answer = client.post("/api/v1/schedules/bulk-cancel", body, format="json")
        return answer.status_code

    statuses = at_once(
        [
            partial(cancel, clients[0], ids),
            partial(cancel, clients[1], ids[::-1]),
            partial(cancel, clients[2], ids[500:] + ids[:500]),
            partial(disconnect, clients[3], row, "?cancel_schedules=true"),
            partial(cancel, clients[4], ids[::2]),
            partial(disconnect, clients[5], row, "?cancel_schedules=true"),
        ]
    )
    assert statuses == [200] * 6
    assert Schedule.objects.filter(status="cancelled").count() == 1000
    counts = AuditEvent.objects.filter(action="SCHEDULES_CANCELLED").values_list(
        "details", flat=True
    )
    # Each is cancelled and recorded once.
    assert sum(details["count"] for details in counts) == 1000


def test_a_bulk_cancel_waits_for_the_channel_lock(
    row: ChannelConnection, make_clients: MakeClients
) -> None:
    """Without that, two who take many schedules in different orders would wait in a ring."""
    made = Schedule.objects.bulk_create(new_schedule(row) for _ in range(2))
    (client,) = make_clients(1)
    body = {"schedule_ids": [str(each.pk) for each in made]}
    with ExitStack() as stack:
        with transaction.atomic():
            locked_connections().get(pk=row.pk)
            cancel = partial(client.post, "/api/v1/schedules/bulk-cancel", body, format="json")
            cancelling = stack.enter_context(meanwhile(cancel))
            time.sleep(0.3)
            assert not cancelling.done()
        assert cancelling.result(PATIENCE).json()["cancelled"] == 2


def test_parallel_flows_make_one_connection(
    chirp: Chirp, api: APIClient, make_clients: MakeClients, no_limits: None
) -> None:
    clients = make_clients(4)
    states = [start(api) for _ in clients]
    pairs = zip(clients, states, strict=True)
    answers = at_once([partial(call_back, one, state) for one, state in pairs])
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    connection = ChannelConnection.objects.get()
    assert GrantHold.objects.get().connection_id == connection.pk
    recorded = {
        one.json()["errors"][0]["meta"]["id"] if one.status_code == 409 else one.json()["id"]
        for one in answers
    }
    assert recorded == {str(connection.pk)}
    tokens = connection.opened()
    revoked = {token for token in chirp.revoked if token.startswith("refresh")}
    assert revoked == {f"refresh-{n}" for n in range(1, 5)} - {tokens.refresh_token}


@pytest.mark.parametrize("status", ["connected", "expired"])
def test_connecting_and_disconnecting_end_whole(
    owner: User,
    chirp: Chirp,
    api: APIClient,
    make_clients: MakeClients,
    no_limits: None,
    status: str,
) -> None:
    row = channel_of(owner, status=status)
    state = start(api)
    caller, ender = make_clients(2)
    called_back, ended = at_once(
        [lambda: call_back(caller, state), lambda: ender.delete(f"{CONNECTIONS}/{row.pk}")]
    )
    assert ended.status_code == 200
    assert called_back.status_code in {201, 400, 409}
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    living = ChannelConnection.objects.exclude(status="disconnected")
    assert living.count() == (called_back.status_code == 201)
    held = set(GrantHold.objects.values_list("connection_id", flat=True))
    assert held == set(living.values_list("pk", flat=True))
    if not living:
        assert {"refresh-1", "access-1"} <= set(chirp.revoked)
