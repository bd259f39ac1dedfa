"""The database counts the rows of its large tables itself, and no metric reads a whole one."""

import re

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.metrics import counters, tables
from connections_project.metrics.models import CountedChange
from connections_project.revocation.models import OpenQuestion, RevocationJob
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, many_disconnected
from tests.support.revocation_jobs import make_jobs

LARGE = (
    r"Seq Scan on (providers_connection|revocation_revocationjob|revocation_openquestion)"
    # Groups are read to their end, also by an index.
    r"|(?s:Group Key.* on (providers_connection|revocation_revocationjob))"
)


def providers(column: int = 0) -> dict[str, int]:
    found = counters.by(counters.counts()["providers"], column)
    return {value: number for (value,), number in found.items()}


def test_every_way_to_change_a_row_counts(owner: User, bank: Bank) -> None:
    many_disconnected(owner, 3)
    row = connection_of(owner)
    connection_of(owner, status="expired", account_id="another")
    row.alias = "another name"
    row.save()
    assert providers() == {"active": 1, "expired": 1, "disconnected": 3}
    Connection.objects.filter(status="expired").update(status="revoked")
    # What is stored over itself, as for many rows at once.
    row.status = "expired"
    Connection.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["id"], update_fields=["status"]
    )
    Connection.objects.filter(status="disconnected")[:1].get().delete()
    assert providers(column=1) == {}
    Connection.objects.filter(status__in=["expired", "revoked"]).update(
        attention_reason="grant_expired", attention_since=timezone.now()
    )
    assert providers(column=1) == {"grant_expired": 2}
    assert providers() == {"revoked": 1, "expired": 1, "disconnected": 2}


def test_what_is_undone_does_not_count(owner: User, bank: Bank) -> None:
    with transaction.atomic():
        connection_of(owner)
        transaction.set_rollback(True)
    assert providers() == {}


def test_many_changes_become_few(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "BATCH", 20)
    for number in range(30):
        make_jobs("bank", str(number))
    RevocationJob.objects.all()[:1].get().delete()
    before = counters.counts()
    counters.compact()
    assert CountedChange.objects.count() <= 2
    assert counters.counts() == before
    assert before[counters.JOBS] == {("pending", "bank", ""): 29}


def test_a_migrate_counts_anew(owner: User, bank: Bank) -> None:
    connection_of(owner)
    CountedChange.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert providers() == {"active": 1}
    assert CountedChange.objects.aggregate(all=Sum("number")) == {"all": 1}


def test_very_many_kinds_become_no_fewer(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "BATCH", 20)
    for number in range(40):
        make_jobs(f"bank-{number}", "token")
    counters.compact()
    assert CountedChange.objects.count() == 40


def test_what_an_earlier_release_counted_is_read(db: None) -> None:
    CountedChange.objects.create(name=counters.JOBS, status="pending", number=3)
    jobs = counters.counts()[counters.JOBS]
    assert counters.by(jobs, 0) == {("pending",): 3}
    assert counters.by(jobs, 1, 0) == {}


def test_a_migrate_replaces_the_triggers_of_an_earlier_release(owner: User, bank: Bank) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER revocation_revocationjob_counted_insert")
            cursor.execute(
                "CREATE TRIGGER revocation_revocationjob_counted_insert AFTER INSERT ON"
                " revocation_revocationjob BEGIN INSERT INTO metrics_countedchange"
                " (name, status, number) VALUES ('revocation jobs', NEW.state, 1); END"
            )
    call_command("migrate", verbosity=0)
    make_jobs("bank", "token")
    assert counters.counts()[counters.JOBS] == {("pending", "bank", ""): 1}


@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="its plans are PostgreSQL's own")
def test_no_count_reads_a_whole_table(owner: User, is_over: bool) -> None:
    many_disconnected(owner, 2000)
    make_jobs("bank", *map(str, range(2000)))
    now = timezone.now()
    if is_over:
        RevocationJob.objects.update(state="revoked", sealed_tokens=None, finished_at=now)
    else:
        RevocationJob.objects.update(verification="still_alive")
        Connection.objects.update(
            status="expired",
            attention_reason="grant_expired",
            attention_since=now,
            disconnected_at=None,
        )
    OpenQuestion.objects.bulk_create(
        OpenQuestion(app="providers", platform="bank", connection_id=uuid7(), created_at=now)
        for _ in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        with CaptureQueriesContext(connection) as captured:
            tables.refresh()
        selects = [one["sql"] for one in captured if one["sql"].startswith("SELECT")]
        assert len(selects) > 5
        for select in selects:
            cursor.execute(f"EXPLAIN {select}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert not re.search(LARGE, plan), plan
