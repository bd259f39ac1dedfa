"""Metrics that need a count over a table."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from connections_project.core.periodic import periodic_task_of
from connections_project.core.vault import Sealed
from connections_project.identity.models import User
from connections_project.metrics import tables
from connections_project.metrics.models import TableMetrics
from connections_project.revocation.models import RevocationJob
from tests.metrics.conftest import Scrape, key
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, many_disconnected

COUNTED = "connections_tables_counted_timestamp_seconds"
OLDEST = "connections_revocation_oldest_pending_seconds"


def count() -> None:
    """Count as beat and `run_revocations` have it done, beside their other periodic tasks."""
    periodic_task_of(tables.refresh).do()


def job(user: User, *, age: timedelta = timedelta(0), **columns: Any) -> RevocationJob:
    made_at = timezone.now() - age
    given = {"sealed_tokens": Sealed("sealed"), "created_at": made_at, "due_at": made_at} | columns
    return RevocationJob.objects.create(
        app="providers", platform="bank", connection_id=user.pk, owner_id=user.pk, **given
    )


def connections(scrape: Scrape, status: str) -> float | None:
    return scrape().get(key("connections_connections", app="providers", status=status))


def test_connections_are_counted_by_app_and_status(owner: User, bank: Bank, scrape: Scrape) -> None:
    connection_of(owner)
    connection_of(owner, status="expired", account_id="another")
    many_disconnected(owner, 3)
    count()
    metrics = scrape()
    by_status = {
        status: metrics[key("connections_connections", app="providers", status=status)]
        for status in ("active", "expired", "disconnected")
    }
    assert by_status == {"active": 1, "expired": 1, "disconnected": 3}


def test_jobs_with_living_tokens_are_counted(owner: User, scrape: Scrape) -> None:
    job(owner, verification="still_alive")
    for verification in ("verified_dead", "verified_dead", ""):
        over: dict[str, Any] = {"state": "revoked", "finished_at": timezone.now()}
        job(owner, verification=verification, sealed_tokens=None, **over)
    count()
    name = "connections_revocation_verifications"
    assert {labels: n for labels, n in scrape().items() if name in str(labels)} == {
        key(name, state="pending", platform="bank", verification="still_alive"): 1,
    }


def test_jobs_count_by_state_with_the_oldest_age(owner: User, scrape: Scrape) -> None:
    job(owner, age=timedelta(minutes=5))
    job(owner, age=timedelta(hours=2))
    gone = {"sealed_tokens": None, "finished_at": timezone.now()}
    job(owner, age=timedelta(hours=9), state="revoked", **gone)
    count()
    metrics = scrape()
    by_state = {
        state: metrics[key("connections_revocation_jobs", state=state)]
        for state in ("pending", "revoked", "abandoned", "shared_grant")
    }
    assert by_state == {"pending": 2, "revoked": 1, "abandoned": 0, "shared_grant": 0}
    assert 7200 <= metrics[key(OLDEST)] < 7260


def test_with_nothing_due_the_oldest_is_0_seconds_old(db: None, scrape: Scrape) -> None:
    count()
    assert scrape()[key(OLDEST)] == 0


def test_the_age_goes_on_rising_between_two_counts(owner: User, scrape: Scrape) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        job(owner)
        count()
        clock.shift(50)
        assert scrape()[key(OLDEST)] == 50


def test_a_scrape_counts_nothing(
    owner: User, scrape: Scrape, django_assert_num_queries: Any
) -> None:
    many_disconnected(owner, 2)
    count()
    # The one row is looked at twice: is it fresh, and what does it say?
    with django_assert_num_queries(2) as queries:
        assert connections(scrape, "disconnected") == 2
    assert "count(" not in str(queries.captured_queries).lower()


def test_tables_are_counted_once_a_minute(owner: User, scrape: Scrape) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        count()
        many_disconnected(owner, 2)
        clock.shift(59)
        count()
        assert connections(scrape, "disconnected") is None
        clock.shift(2)
        count()
        assert connections(scrape, "disconnected") == 2


def test_a_scrape_counts_without_periodic_tasks(owner: User, scrape: Scrape) -> None:
    """Just when the workers are away somebody must see what is left undone."""
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        began = timezone.now().timestamp()
        many_disconnected(owner, 1)
        assert connections(scrape, "disconnected") == 1
        many_disconnected(owner, 1)
        clock.shift(119)
        assert (connections(scrape, "disconnected"), scrape()[key(COUNTED)]) == (1, began)
        clock.shift(2)
        assert connections(scrape, "disconnected") == 2


def test_of_two_processes_at_once_one_counts(
    db: None, monkeypatch: pytest.MonkeyPatch, scrape: Scrape
) -> None:
    counts: list[None] = []

    def counted() -> dict[str, Any]:
        counts.append(None)
        tables.refresh()  # Another process looks while this one counts.
        return {}

    monkeypatch.setattr(tables, "_counted", counted)
    tables.refresh()
    assert len(counts) == 1


def test_a_count_that_failed_is_not_shown_as_one(
    db: None, monkeypatch: pytest.MonkeyPatch, scrape: Scrape
) -> None:
    def fails() -> dict[str, Any]:
        raise OperationalError("canceling statement due to statement timeout")

    with monkeypatch.context() as patch:
        patch.setattr(tables, "_counted", fails)
        count()
        assert key(COUNTED) not in scrape()
    TableMetrics.objects.update(claimed_at=timezone.now() - timedelta(minutes=2))
    count()
    assert key(COUNTED) in scrape()


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError])
def test_without_a_database_process_metrics_remain(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    tries: list[None] = []

    def away(*_: Any, **__: Any) -> None:
        tries.append(None)
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        metrics = scrape()
    # Each may take seconds, and whoever scrapes waits for ten at most.
    assert len(tries) == 1
    assert key(COUNTED) not in metrics
    assert any(name == "connections_http_request_duration_seconds_count" for name, _ in metrics)


@pytest.mark.django_db(transaction=True)
def test_run_revocations_keeps_them_fresh(owner: User, bank: Bank, scrape: Scrape) -> None:
    many_disconnected(owner, 4)
    call_command("run_revocations", "--once", "--json")
    assert connections(scrape, "disconnected") == 4
