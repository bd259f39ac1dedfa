"""Workers that try many revocations at a time, beside each other."""

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.core import periodic
from connections_project.core.jobs import batches
from connections_project.oauth import observers
from connections_project.revocation import worker as revocation
from connections_project.revocation.models import RevocationJob, WorkerSlots
from connections_project.revocation.worker import process_revocations
from tests.races.conftest import Gate, at_once, meanwhile, wait_until
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.revocation_jobs import make_jobs

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def slow(bank: Bank, use_catalogue: Callable[..., None]) -> Gate:
    """Beside a bank that is fast, one that answers when it is released."""
    one = 'tokens = ["refresh_token"]'
    text = bank.catalogue("slow", revocation=one).replace("/revoke", "/slow")
    use_catalogue(text + bank.catalogue("fast", revocation=one), "slow", "fast")
    gate = Gate(lambda: Answer(200))
    bank.server.on("POST", "/slow", gate)
    return gate


def pending(platform: str) -> int:
    return RevocationJob.objects.filter(platform=platform, state="pending").count()


def test_a_hanging_platform_holds_up_no_other(slow: Gate) -> None:
    make_jobs("slow", *map(str, range(60)), ago=3600)
    make_jobs("fast", *map(str, range(40)))
    with meanwhile(process_revocations) as working:
        wait_until(lambda: not pending("fast"))
        assert pending("slow") == 60
        slow.is_open.set()
        working.result()
    assert pending("slow") == 0


def test_all_workers_keep_to_a_platforms_share(slow: Gate, settings: LazySettings) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 3
    make_jobs("slow", *map(str, range(12)), ago=3600)
    with meanwhile(lambda: at_once([process_revocations] * 3)) as working:
        wait_until(lambda: slow.visitors == 3)
        time.sleep(0.2)
        assert slow.visitors == 3
        assert RevocationJob.objects.filter(leased_until__gte=timezone.now()).count() == 3
        slow.is_open.set()
        working.result()
    assert slow.visitors == 12
    assert set(RevocationJob.objects.values_list("state", "attempts")) == {("revoked", 1)}


def test_slots_of_slow_calls_are_renewed(slow: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LOOK_SECONDS", 0.02)
    make_jobs("slow", "one")
    held = WorkerSlots.objects.filter(leased_until__gt=timezone.now() + timedelta(seconds=4))
    with meanwhile(process_revocations) as working:
        slow.wait_for_visitor()
        # A lost worker's are soon those of others.
        assert not WorkerSlots.objects.filter(
            leased_until__gt=timezone.now() + timedelta(seconds=6)
        ).exists()
        WorkerSlots.objects.update(leased_until=timezone.now())
        wait_until(held.exists)
        slow.is_open.set()
        working.result()


def test_jobs_are_claimed_and_settled_together(settings: LazySettings) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 8
    make_jobs("fast", *map(str, range(80)))
    # The threads that ask the platform ask the database nothing.
    with CaptureQueriesContext(connection) as captured:
        process_revocations()
    assert not pending("fast")
    assert len(captured) < 2 * 80
    assert not WorkerSlots.objects.exists()


def test_a_fault_gives_back_what_was_claimed_ahead(bank: Bank, settings: LazySettings) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 4
    settings.REVOCATION_FIRST_RETRY_SECONDS = 3600
    answered = count()
    bank.server.on("POST", "/revoke", lambda _: Answer(200 if next(answered) < 20 else 503))
    make_jobs("fast", *map(str, range(60)))
    process_revocations()
    asked = len(bank.server.requests_to("/revoke"))
    assert 25 <= asked < 60
    assert RevocationJob.objects.aggregate(tries=Sum("attempts"))["tries"] == asked
    assert not RevocationJob.objects.exclude(lease=None).exists()


def test_new_jobs_are_seen_while_a_platform_hangs(slow: Gate) -> None:
    make_jobs("slow", "one")
    with meanwhile(process_revocations) as working:
        slow.wait_for_visitor()
        make_jobs("fast", "new")
        wait_until(lambda: not pending("fast"))
        assert pending("slow") == 1
        slow.is_open.set()
        working.result()


def test_a_busy_worker_calls_for_others(
    slow: Gate, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(revocation, "notify_workers", called.append)
    monkeypatch.setattr(batches, "LOOK_SECONDS", 0.02)
    settings.REVOCATION_THREADS = 2
    make_jobs("slow", *map(str, range(5)))
    with meanwhile(process_revocations) as working:
        wait_until(lambda: called)
        assert slow.visitors <= 2
        slow.is_open.set()
        working.result()
    assert set(called) == {process_revocations}
    assert pending("slow") == 0


def test_a_stopping_worker_takes_nothing_more(slow: Gate, settings: LazySettings) -> None:
    settings.REVOCATION_PLATFORM_LIMIT = 2
    make_jobs("slow", *map(str, range(9)))
    try:
        with meanwhile(process_revocations) as working:
            wait_until(lambda: slow.visitors == 2)
            periodic.stopping.set()
            slow.is_open.set()
            working.result()
    finally:
        periodic.stopping.clear()
    assert (pending("slow"), slow.visitors) == (7, 2)
    assert not RevocationJob.objects.filter(state="pending").exclude(lease=None).exists()


def test_waiting_workers_hold_no_connection(
    slow: Gate,
    bank: Bank,
    use_catalogue: Callable[..., None],
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool is far smaller than the number of threads, and others would be starved."""
    if connection.vendor == "sqlite":
        pytest.skip("a file is nobody else's, so SQLite keeps it open")
    # Before such a platform is asked, the holders of the grant are looked for.
    revocation = 'tokens = ["refresh_token"]\nblast_radius = "grant"'
    use_catalogue(bank.catalogue("slow", revocation=revocation).replace("/revoke", "/slow"), "slow")
    kept: list[object] = []
    monkeypatch.setattr(observers, "_observers", [lambda *_: kept.append(connection.connection)])
    settings.REVOCATION_PLATFORM_LIMIT = 4
    make_jobs("slow", *map(str, range(4)))
    with meanwhile(process_revocations) as working:
        wait_until(lambda: slow.visitors == 4)
        slow.is_open.set()
        working.result()
    assert kept == [None] * 4
    assert pending("slow") == 0
