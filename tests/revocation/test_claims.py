"""Which jobs are claimed: the longest waiting, and of no platform too many at a time."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.revocation.claims import claim, open_circuits
from connections_project.revocation.models import Circuit, RevocationJob, WorkerSlots
from connections_project.revocation.slots import release_slots
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db


def claim_for(worker: UUID, threads: int) -> list[RevocationJob]:
    return list(claim(worker, threads=threads, due_by=timezone.now()).jobs)


def claimed(limit: int = 100, *, worker: UUID | None = None) -> Counter[str]:
    open_circuits()
    return Counter(job.platform for job in claim_for(worker or uuid7(), limit))


def tokens(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_every_platform_has_its_share_and_no_more(settings: LazySettings) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 3
    make_jobs("first", *tokens(50), ago=3600)
    make_jobs("second", *tokens(2))
    make_jobs("third", *tokens(5))
    assert claimed() == {"first": 3, "second": 2, "third": 3}
    # What is under way elsewhere counts.
    assert claimed() == {}


def test_a_share_is_freed_at_the_end_or_lease_expiry(
    settings: LazySettings,
) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 3
    make_jobs("first", *tokens(50))
    one, other = uuid7(), uuid7()
    assert claimed(2, worker=one) == {"first": 2}
    assert claimed() == {"first": 1}
    assert claimed(worker=other) == {}
    release_slots(one)
    assert claimed(worker=other) == {"first": 2}
    gone = timezone.now() - timedelta(seconds=1)
    WorkerSlots.objects.filter(slots=1).update(leased_until=gone)
    assert claimed() == {"first": 1}


def test_the_longest_waiting_come_first(settings: LazySettings) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 2
    make_jobs("first", *tokens(2), ago=10)
    make_jobs("second", *tokens(2), ago=20)
    assert claimed(3) == {"second": 2, "first": 1}


def test_a_claim_has_a_lease_and_counts_as_a_try() -> None:
    (job,) = make_jobs("first", "token")
    open_circuits()
    (mine,) = claim_for(uuid7(), 1)
    job.refresh_from_db()
    assert (job.lease, job.attempts) == (mine.lease, 1)
    assert mine.attempts == 1
    assert job.leased_until is not None
    assert 29 < (job.leased_until - timezone.now()).total_seconds() <= 30


def test_removed_platforms_are_claimed_for_too() -> None:
    make_jobs("gone", "token")
    assert claimed() == {"gone": 1}
    assert Circuit.objects.get().platform == "gone"


def test_with_nothing_to_do_a_claim_is_one_statement(settings: LazySettings) -> None:
    open_circuits()
    with CaptureQueriesContext(connection) as captured:
        assert claim_for(uuid7(), 10) == []
    statements = [one["sql"] for one in captured if "SAVEPOINT" not in one["sql"]]
    assert len(statements) == 1


@pytest.mark.parametrize("backlog", [10, 2000])
def test_statements_do_not_grow_with_the_backlog(backlog: int) -> None:
    make_jobs("first", *["x"] * backlog)
    open_circuits()
    with CaptureQueriesContext(connection) as captured:
        assert len(claim_for(uuid7(), 8)) == 8
    statements = [one["sql"] for one in captured if "SAVEPOINT" not in one["sql"]]
    assert len(statements) == 5


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="its plans are PostgreSQL's own")
def test_no_claim_reads_more_than_it_takes() -> None:
    make_jobs("first", *["x"] * 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE revocation_revocationjob")
    open_circuits()
    with CaptureQueriesContext(connection) as captured:
        claim_for(uuid7(), 8)
    selects = [one["sql"] for one in captured if one["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        for select in selects:
            cursor.execute(f"EXPLAIN {select}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan on revocation_revocationjob" not in plan, plan
