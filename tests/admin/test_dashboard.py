"""The dashboard shows what needs attention now, from numbers that were counted beforehand."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Action, ActorType, Interface
from audit.record import Origin, record
from audit.seal import seal_recent
from connections_project.admin.dashboard.charts import chart
from connections_project.identity.models import User
from connections_project.metrics.models import TableMetrics
from connections_project.metrics.tables import refresh
from connections_project.operations.models import BulkJob
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import Circuit, RevocationJob
from tests.support.admin_pages import job_of, text_of
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

FRONT = "/admin/"
SYSTEM = Origin(ActorType.SYSTEM, None, Interface.WORKER)

pytestmark = pytest.mark.django_db


def count() -> None:
    """Count as the periodic task does, though the last count was a moment ago."""
    refresh(older_than=timedelta(0))


def happened_at_last() -> None:
    with transaction.atomic():
        happened(Action.PROVIDER_CONNECTED)


def happened(action: Action) -> None:
    record(action, origin=SYSTEM, subject_type="x", subject_id=None, subject_owner_id=None)


def test_connections_are_counted_with_links(page: Client, bank: Bank, owner: User) -> None:
    connection_of(owner, account_id="a")
    connection_of(owner, account_id="b", status="expired")
    count()
    text = text_of(page, FRONT)
    assert "Provider connections 2 active 1 expired 1" in text
    assert "1 provider connection is expired: users have to connect again" in text
    assert "/admin/providers/connection/?status=expired" in page.get(FRONT).content.decode()


def test_it_draws_and_tabulates_what_happened_per_day(page: Client, db: None) -> None:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        happened(Action.PROVIDER_CONNECTED)
        happened(Action.CHANNEL_CONNECTED)
        happened(Action.ACCOUNT_DISCONNECTED)
    with time_machine.travel("2026-03-12T12:00:00Z", tick=False) as clock:
        happened(Action.TOKEN_REVOCATION_ABANDONED)
        count()
        # What is over is not counted again, and today is.
        happened(Action.PROVIDER_CONNECTED)
        clock.shift(61)
        count()
        client = Client()
        client.force_login(User.objects.get(email="operator@example.com"))
        text = text_of(client, FRONT)
        html = client.get(FRONT).content.decode()
    assert "2026-03-12 1 0 1 2026-03-11 0 0 0 2026-03-10 2 1 0" in text
    assert "<title>2026-03-10: 2 connected</title>" in html
    assert html.count('class="bar bar-') == 4


def test_past_days_are_stored_and_not_recounted(db: None) -> None:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        happened(Action.PROVIDER_CONNECTED)
    with time_machine.travel("2026-03-15T12:00:00Z", tick=False) as clock:
        count()
        metrics = TableMetrics.objects.get()
        metrics.metrics["days"]["2026-03-10"]["connected"] = 7
        metrics.save()
        clock.shift(61)
        count()
    assert TableMetrics.objects.get().metrics["days"]["2026-03-10"]["connected"] == 7


def test_the_chart_gives_every_number_its_height() -> None:
    days = {"2026-03-10": {"connected": 50, "disconnected": 100, "failed": 0},
            "2026-03-11": {"connected": 1, "disconnected": 0, "failed": 0}}  # fmt: skip
    drawn = chart(days)
    assert [bar.height for bar in drawn.bars] == [60, 120, 0, 2, 0, 0]
    assert {bar.y + bar.height for bar in drawn.bars} == {drawn.baseline}
    assert chart({}).bars == ()


def test_whatever_gets_worse_by_itself_is_urgent(page: Client, bank: Bank, owner: User) -> None:
    job_of(connection_of(owner, status="disconnected"))
    old = timezone.now() - timedelta(hours=3)
    RevocationJob.objects.update(created_at=old, verification="still_alive")
    Suspension.objects.create(slug="bank", reason="breached", suspended_at=timezone.now())
    Circuit.objects.create(
        platform="bank", faults=5, blocked_until=timezone.now() + timedelta(hours=1)
    )
    with time_machine.travel(old, tick=False):
        happened(Action.PROVIDER_CONNECTED)
    count()
    text = text_of(page, FRONT)
    assert "urgent Bank is suspended: breached" in text
    assert (
        f"urgent The oldest revocation has been pending since {old:%Y-%m-%d %H:%M} UTC; 1 are"
        in text
    )
    assert "urgent Bank has accepted 1 revocations without effect" in text
    assert "urgent Bank fails to revoke (5 times in a row)" in text
    assert "urgent The audit log is not sealed since" in text


@pytest.mark.django_db(transaction=True)
def test_once_it_is_sealed_the_log_needs_no_attention(page: Client) -> None:
    happened_at_last()
    seal_recent()
    count()
    text = text_of(page, FRONT)
    assert "Nothing needs attention" in text
    assert "Oldest revocation under way: —" in text
    assert "Audit log sealed until: just now" in text


def test_without_the_log_permission_no_numbers(page: Client, operator: User) -> None:
    operator.groups.clear()
    count()
    assert "Connections by status" not in text_of(page, FRONT)


def test_stale_metrics_are_an_alert(page: Client, db: None) -> None:
    TableMetrics.objects.create(
        claimed_at=timezone.now(), counted_at=timezone.now() - timedelta(minutes=10), metrics={}
    )
    assert "urgent No periodic tasks run" in text_of(page, FRONT)


def test_a_bulk_job_under_way_is_linked(page: Client, operator: User) -> None:
    job = BulkJob.objects.create(
        app="providers", state="running", reason="x", requested_by=operator.pk, interface="admin",
        trace_id="", total=100, processed=40,
    )  # fmt: skip
    html = page.get(FRONT).content.decode()
    assert "40 of 100 in providers" in html
    assert f"/admin/operations/bulkjob/{job.pk}/change/" in html


def test_opening_it_counts_nothing(page: Client, bank: Bank, owner: User) -> None:
    connection_of(owner)
    count()
    with CaptureQueriesContext(connection) as queries:
        page.get(FRONT)
    asked = [each["sql"] for each in queries]
    assert len(asked) < 20
    assert not [sql for sql in asked if re.search(r"COUNT\(|GROUP BY", sql)]
    assert not [sql for sql in asked if 'FROM "providers_connection"' in sql]
