"""The database counts the rows of its large tables itself, and no metric reads a whole one."""

import re

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.identity.models import User
from connections_project.metrics import counters, tables
from connections_project.metrics.models import CountedChange
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, many_disconnected
from tests.support.revocation_jobs import make_jobs

LARGE = r"Seq Scan on (providers_connection|revocation_revocationjob)"


def providers() -> dict[str, int]:
    return counters.counts()["providers"]


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
    assert before[counters.JOBS] == {"pending": 29}


def test_a_migrate_counts_anew(owner: User, bank: Bank) -> None:
    connection_of(owner)
    CountedChange.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert providers() == {"active": 1}
    assert CountedChange.objects.aggregate(all=Sum("number")) == {"all": 1}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="its plans are PostgreSQL's own")
def test_no_count_reads_a_whole_table(owner: User) -> None:
    many_disconnected(owner, 2000)
    make_jobs("bank", *map(str, range(2000)))
    RevocationJob.objects.update(state="revoked", sealed_tokens=None, finished_at=timezone.now())
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
