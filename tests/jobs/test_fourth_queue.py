"""A queue of a model and a handler: leased, tried again, given up, and taken over."""

import threading
from datetime import timedelta
from itertools import chain

import pytest
import time_machine
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from connections_project.core import periodic
from connections_project.core.ids import uuid7
from connections_project.core.jobs.queue import process_jobs
from tests.jobs.models import Delivery, Limit, LimitedDelivery
from tests.races.conftest import at_once, meanwhile, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Endpoint:
    """What deliveries arrive at: the handler."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.error: Exception | None = None
        self.is_open = threading.Event()
        self.is_open.set()

    def deliver(self, job: Delivery) -> None:
        self.seen.append(job.connection)
        assert self.is_open.wait(15)
        if self.error:
            raise self.error


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


def make_due() -> None:
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def abandon(job: Delivery, *, seconds: float) -> None:
    """Have a worker die with a job whose lease ends in so many seconds."""
    until = Now() + timedelta(seconds=seconds)
    Delivery.objects.filter(pk=job.pk).update(lease=uuid7(), leased_until=until, attempts=1)


def test_many_workers_handle_each_job_once(endpoint: Endpoint) -> None:
    for number in range(20):
        Delivery.objects.create(connection=str(number))
    Delivery.objects.create(connection="later", due_at=timezone.now() + timedelta(hours=1))
    at_once([process_jobs(Delivery, endpoint.deliver, threads=3)] * 3)
    assert sorted(endpoint.seen, key=int) == [str(number) for number in range(20)]
    assert Delivery.objects.get().connection == "later"


def test_a_failing_job_backs_off_and_is_given_up(endpoint: Endpoint) -> None:
    endpoint.error = RuntimeError("busy")
    Delivery.objects.create(connection="a")
    for attempt, wait in [(1, 5), (2, 10)]:
        process_jobs(Delivery, endpoint.deliver)()
        job = Delivery.objects.get()
        assert (job.attempts, job.lease, job.leased_until) == (attempt, None, None)
        assert wait - 1 < (job.due_at - timezone.now()).total_seconds() <= 1.25 * wait
        make_due()
    process_jobs(Delivery, endpoint.deliver)()
    job = Delivery.objects.get()
    assert (job.attempts, job.failed, job.lease) == (3, True, None)
    process_jobs(Delivery, endpoint.deliver)()
    assert len(endpoint.seen) == 3


def test_a_wait_that_the_other_side_asks_for_is_kept(endpoint: Endpoint) -> None:
    endpoint.error = RuntimeError("busy")
    endpoint.error.retry_after = 600  # type: ignore[attr-defined]
    Delivery.objects.create(connection="a")
    process_jobs(Delivery, endpoint.deliver)()
    assert (Delivery.objects.get().due_at - timezone.now()).total_seconds() > 590


def test_a_crashed_worker_keeps_its_lease(endpoint: Endpoint) -> None:
    job = Delivery.objects.create(connection="a")
    abandon(job, seconds=30)
    process_jobs(Delivery, endpoint.deliver)()
    # A host whose clock is ahead takes nothing over.
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        process_jobs(Delivery, endpoint.deliver)()
    assert endpoint.seen == []
    abandon(job, seconds=-1)
    process_jobs(Delivery, endpoint.deliver)()
    assert endpoint.seen == ["a"]
    assert not Delivery.objects.exists()


def test_a_job_that_kills_workers_is_given_up(endpoint: Endpoint) -> None:
    job = Delivery.objects.create(connection="a")
    abandon(job, seconds=-1)
    Delivery.objects.update(attempts=3)
    process_jobs(Delivery, endpoint.deliver)()
    assert endpoint.seen == []
    assert Delivery.objects.get().failed


def test_who_has_lost_the_lease_ends_nothing(endpoint: Endpoint) -> None:
    Delivery.objects.create(connection="a")

    def too_slow(job: Delivery) -> None:
        endpoint.deliver(job)
        abandon(job, seconds=30)

    process_jobs(Delivery, too_slow)()
    assert Delivery.objects.get().lease is not None


def test_a_job_stays_leased_without_a_database(endpoint: Endpoint) -> None:
    endpoint.error = OperationalError("away")
    Delivery.objects.create(connection="a")
    process_jobs(Delivery, endpoint.deliver)()
    job = Delivery.objects.get()
    assert (job.attempts, job.lease is None) == (1, False)


def test_a_stopping_process_claims_nothing_more(
    endpoint: Endpoint,
) -> None:
    for number in range(5):
        Delivery.objects.create(connection=str(number))
    endpoint.is_open.clear()
    try:
        with meanwhile(process_jobs(Delivery, endpoint.deliver, threads=2)) as working:
            wait_until(lambda: len(endpoint.seen) == 2)
            periodic.stopping.set()
            endpoint.is_open.set()
            working.result()
    finally:
        periodic.stopping.clear()
    assert (len(endpoint.seen), Delivery.objects.filter(lease=None).count()) == (2, 3)


def test_its_order_of_claiming_is_its_own(endpoint: Endpoint) -> None:
    first = Delivery.objects.create(connection="a")
    Delivery.objects.create(connection="a")
    Delivery.objects.create(connection="b")
    claimed = Delivery.claim(9, due_by=timezone.now())
    assert [job.connection for job in claimed] == ["a", "b"]
    assert Delivery.claim(9, due_by=timezone.now()) == []
    first.refresh_from_db()
    first.finish()
    assert [job.connection for job in Delivery.claim(9, due_by=timezone.now())] == ["a"]


def test_its_limit_for_each_endpoint_is_its_own() -> None:
    for endpoint in ("one", "two"):
        Limit.objects.create(endpoint=endpoint, at_once=2)
        for number in range(5):
            LimitedDelivery.objects.create(endpoint=endpoint, connection=f"{endpoint}-{number}")

    def claimed() -> list[str]:
        return [job.endpoint for job in LimitedDelivery.claim(9, due_by=timezone.now())]

    found = sorted(chain.from_iterable(at_once([claimed] * 4)))
    assert found == ["one", "one", "two", "two"]


def test_it_is_known_by_the_name_of_its_handler(endpoint: Endpoint) -> None:
    task = periodic.PeriodicTask(process_jobs(Delivery, endpoint.deliver), 5)
    assert task.name == "tests.jobs.test_fourth_queue.Endpoint.deliver"
