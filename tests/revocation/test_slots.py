"""Workers share what a platform may be asked for at a time, and none of it lies idle."""

from collections import deque
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.core.jobs.batches import Claimed
from connections_project.core.jobs.lanes import Lane
from connections_project.revocation.claims import claim, open_circuits
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.slots import even_share
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db

LaneOf = Lane[RevocationJob]


@pytest.fixture(autouse=True)
def jobs(settings: LazySettings) -> list[RevocationJob]:
    settings.REVOCATION_PLATFORM_LIMIT = 4
    jobs = make_jobs("first", *map(str, range(30)))
    open_circuits()
    return jobs


def claimed(worker: UUID, lane: LaneOf | None = None, threads: int = 8) -> Claimed[RevocationJob]:
    lanes = {} if lane is None else {"first": lane}
    return claim(worker, threads=threads, lanes=lanes, due_by=timezone.now())


def test_a_worker_gives_up_slots_as_calls_end() -> None:
    one, another = uuid7(), uuid7()
    assert len(claimed(one).jobs) == 4
    newcomer = claimed(another)
    assert (newcomer.jobs, newcomer.is_waiting) == ([], True)
    # Three of its calls are still under way, so one slot is free for others.
    assert claimed(one, LaneOf(slots=4, running=3)).slots == {"first": 3}
    assert len(claimed(another).jobs) == 1
    assert claimed(one, LaneOf(slots=3, running=1)).slots == {"first": 2}
    assert claimed(another, LaneOf(slots=1, running=1)).slots == {"first": 2}


def test_what_one_cannot_use_others_have() -> None:
    assert len(claimed(uuid7(), threads=1).jobs) == 1
    assert len(claimed(uuid7()).jobs) == 3


def test_only_fast_platforms_have_jobs_claimed_ahead() -> None:
    worker = uuid7()
    assert len(claimed(worker).jobs) == 4
    assert len(claimed(worker, LaneOf(slots=4, running=4, seconds=0.6)).jobs) == 0
    assert len(claimed(worker, LaneOf(slots=4, running=4, seconds=0.1)).jobs) == 20


def test_jobs_that_wait_are_no_calls(jobs: list[RevocationJob]) -> None:
    worker = uuid7()
    claimed(worker)
    # No more of the platform is due, and of what is claimed one is in a call and one behind it.
    RevocationJob.objects.update(due_at=timezone.now() + timedelta(hours=1))
    lane = LaneOf(slots=3, running=1, seconds=0.1, waiting=deque(jobs[:1]))
    assert claimed(worker, lane).slots == {"first": 2}


@pytest.mark.parametrize(
    ("wanted", "share"), [([9], 8), ([9, 9], 4), ([9, 9, 9], 3), ([9, 1], 7), ([1, 2], 8), ([], 8)]
)
def test_shares_are_even_and_use_it_up(wanted: list[int], share: int) -> None:
    assert even_share(8, wanted) == share
