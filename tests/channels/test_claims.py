"""What a claim of schedules costs, however many are due."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels.circuits import open_circuits
from channels.claims import claim, oldest_overdue
from channels.models import ChannelConnection, Schedule
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import PostCircuit
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
    late = timezone.now() - timedelta(days=2)
    Schedule.objects.update(attempts=1, run_at=late)
    Suspension.objects.create(slug="chirp", reason="incident", suspended_at=late)
    until = timezone.now() + timedelta(minutes=1)
    PostCircuit.objects.create(platform="chirp", faults=5, blocked_until=until)
    make_due(channel_of(owner, channel="warble"), 10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE schedules")
    with CaptureQueriesContext(connection) as captured:
        open_circuits()
        claim(uuid7(), threads=8, due_by=timezone.now())
        assert oldest_overdue()
    selects = [one["sql"] for one in captured if one["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        for select in selects:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {select}")
            (plan,) = cursor.fetchone()
            assert rows_read(plan[0]["Plan"]) < 100, select


def rows_read(node: dict[str, Any]) -> int:
    """Count what was read of the schedules."""
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    own *= node["Actual Loops"] * (node.get("Relation Name") == "schedules")
    return int(own) + sum(rows_read(one) for one in node.get("Plans", []))
