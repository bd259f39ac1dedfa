"""What a claim of schedules costs, however many are due."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels.circuits import open_circuits
from channels.claims import claim, claim_late
from channels.models import ChannelConnection, Schedule
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.support.channel_rows import channel_of, new_schedule
from tests.support.chirp import Chirp

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(owner: User, chirp: Chirp, use_catalogue: UseCatalogue) -> ChannelConnection:
    use_catalogue(chirp.catalogue() + chirp.catalogue("warble"), "chirp", "warble")
    return channel_of(owner)


def make_due(row: ChannelConnection, number: int) -> None:
    Schedule.objects.bulk_create(
        [new_schedule(row, run_at=timezone.now()) for _ in range(number)], batch_size=500
    )


def statements_of_a_claim() -> list[str]:
    open_circuits()
    with CaptureQueriesContext(connection) as captured:
        jobs = claim(uuid7(), threads=8, due_by=timezone.now()).jobs
    assert len(jobs) == 7
    return [one["sql"] for one in captured if "SAVEPOINT" not in one["sql"]]


@pytest.mark.parametrize("backlog", [10, 2000])
def test_statements_do_not_grow_with_the_backlog(
    row: ChannelConnection, owner: User, backlog: int
) -> None:
    make_due(row, backlog)
    make_due(channel_of(owner, channel="warble"), 1)
    # What is due of each of two platforms; their circuits, the slots of others and ours, the lease.
    assert len(statements_of_a_claim()) == 6


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="its plans are PostgreSQL's own")
def test_no_look_reads_the_backlog(row: ChannelConnection, owner: User) -> None:
    make_due(row, 3000)
    make_due(channel_of(owner, channel="warble"), 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE schedules")
    with CaptureQueriesContext(connection) as captured:
        statements_of_a_claim()
        claim_late(8)
    selects = [one["sql"] for one in captured if one["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        for select in selects:
            cursor.execute(f"EXPLAIN {select}")
            plan = "\n".join(line[0] for line in cursor.fetchall())
            assert "Seq Scan on schedules" not in plan, plan
            if "longest_due" in select:
                assert "using schedule_due on" not in plan, plan
