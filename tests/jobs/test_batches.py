"""A worker that claims and settles in batches, while the database fails it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.db import OperationalError

from connections_project.core.jobs.batches import BatchWorker, Claimed
from connections_project.core.jobs.lanes import Lane, Lanes
from tests.races.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Sending:
    """A job that was sent once it says so."""

    pk: int
    is_sent: bool = False


class Queue:
    """Hands out three jobs for two slots; its database breaks off the next claim."""

    def __init__(self) -> None:
        self.jobs = [Sending(1), Sending(2), Sending(3)]
        self.settled: list[int] = []
        self.given_back: list[int] = []
        self.has_failed = threading.Event()

    def claim(self, _: Mapping[str, Lane[Sending]]) -> Claimed[Sending]:
        if self.jobs:
            jobs, self.jobs = self.jobs, []
            return Claimed(jobs, {"one": 2})
        self.has_failed.set()
        raise OperationalError

    def handle(self, job: Sending) -> Sending:
        if job.pk == 2:
            # Under way while the claim fails.
            wait_until(self.has_failed.is_set)
        job.is_sent = True
        return job

    def settle(self, jobs: list[Sending]) -> list[int]:
        self.settled += [job.pk for job in jobs]
        return self.settled

    def worker(self) -> BatchWorker[Sending, Sending, int]:
        return BatchWorker(
            claim=self.claim,
            lanes=lambda: Lanes(
                self.handle, name_of=lambda _: "one", is_well=lambda _: False, threads=2
            ),
            settle=self.settle,  # type: ignore[arg-type]
            give_back=lambda jobs: self.given_back.extend(job.pk for job in jobs),
            threads=2,
            prepare=lambda: None,
            call_others=lambda: None,
        )


def test_what_was_sent_is_stored_where_a_claim_fails() -> None:
    queue = Queue()
    sendings = list(queue.jobs)
    with pytest.raises(OperationalError):
        list(queue.worker().run())
    assert sorted(queue.settled) == [job.pk for job in sendings if job.is_sent]
    assert sorted(queue.settled + queue.given_back) == [1, 2, 3]
