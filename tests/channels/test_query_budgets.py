"""How many statements a call may take, beside authentication (issue: query budgets)."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import Interface
from channels.attempt import attempt
from channels.circuits import open_circuits
from channels.claims import claim
from channels.models import ChannelConnection
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from tests.support.channel_disconnects import CONNECTIONS, disconnect
from tests.support.channel_publishing import ADAPTER, due_schedule
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.channel_scheduling import SCHEDULES, schedule
from tests.support.chirp import Chirp
from tests.support.sql_statements import counted


@pytest.mark.parametrize("length", [0, 1, 150])
def test_lists_take_two_whatever_their_length(
    api: APIClient, owner: User, row: ChannelConnection, length: int
) -> None:
    for number in range(length):
        channel_of(owner, status="disconnected", account_id=str(number))
        schedule_of(row, status="cancelled")
    for url in (
        f"{CONNECTIONS}?limit=100",
        f"{CONNECTIONS}?status=connected&channel=chirp",
        f"{SCHEDULES}?limit=100",
        f"{SCHEDULES}?status=cancelled",
        f"{CONNECTIONS}/{row.pk}",
    ):
        with counted() as statements:
            assert api.get(url).status_code == 200
        assert len(statements) <= 2, url


@pytest.mark.parametrize("radius", ["token", "grant", "client"])
@pytest.mark.parametrize("siblings", [0, 1])
@pytest.mark.parametrize("schedules", [0, 3])
def test_a_disconnect_takes_eight(
    api: APIClient,
    row: ChannelConnection,
    outsider: User,
    chirp: Chirp,
    use_catalogue: Callable[..., None],
    radius: str,
    siblings: int,
    schedules: int,
) -> None:
    use_catalogue(chirp.catalogue(revocation=f'blast_radius = "{radius}"'), "chirp")
    for _ in range(siblings):
        channel_of(outsider)
    for _ in range(schedules):
        schedule_of(row)
    if schedules:
        with counted() as statements:
            assert disconnect(api, row.pk).status_code == 400
        # The connection, the count, the first ids.
        assert len(statements) == 3
    with counted() as statements:
        assert disconnect(api, row.pk, "?cancel_schedules=true").status_code == 200
    assert len(statements) <= 8, "\n".join(statements)
    for query in ("", "?soft_delete=true"):
        with counted() as statements:
            assert disconnect(api, row.pk, query).status_code == 200
        assert len(statements) <= 3


def test_a_webhook_takes_none_beyond_that(
    api: APIClient,
    row: ChannelConnection,
    outsider: User,
    chirp: Chirp,
    use_catalogue: Callable[..., None],
) -> None:
    whole = chirp.catalogue(more=ADAPTER.format("discord"), revocation='blast_radius = "grant"')
    use_catalogue(whole, "chirp")
    channel_of(outsider)
    with counted() as statements:
        assert disconnect(api, row.pk).status_code == 200
    assert len(statements) <= 8, "\n".join(statements)
    assert RevocationJob.objects.get().extras_only


def test_scheduling_takes_three(api: APIClient, row: ChannelConnection) -> None:
    with counted() as statements:
        assert schedule(api, row.pk).status_code == 201
    # The connection under its lock, the schedule, the event.
    assert len(statements) == 3


def test_a_post_takes_eleven_its_claim_five(row: ChannelConnection, like_x: Chirp) -> None:
    due_schedule(row)
    open_circuits()
    with counted() as statements:
        (schedule,) = claim(uuid7(), threads=1, due_by=timezone.now()).jobs
    # The platforms with work, the slots of others, what is due, our slots, the lease.
    assert len(statements) == 5
    with counted() as statements:
        assert attempt(schedule, interface=Interface.WORKER) == "published"
    assert len(statements) <= 11, "\n".join(statements)
