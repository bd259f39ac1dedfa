"""A channel with something to publish is not torn down by accident (seed 001, step 5)."""

from collections.abc import Sequence

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule, ScheduleStatus
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from tests.support.channel_disconnects import assert_disconnected, disconnect
from tests.support.channel_errors import only_error
from tests.support.channel_rows import channel_of, new_schedule, schedule_of
from tests.support.provider_rows import events
from tests.support.sql_statements import counted


def in_status(row: ChannelConnection, status: str) -> Schedule:
    moments = {"cancelled": "cancelled_at", "published": "published_at"}
    columns = {moments[status]: timezone.now()} if status in moments else {}
    return schedule_of(row, status=status, **columns)


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (["pending"], "1 pending schedule first"),
        (["queued"], "1 pending schedule first"),
        (["pending", "queued"], "2 pending schedules first"),
        (["pending", "pending", "queued"], "3 pending schedules first"),
    ],
)
def test_it_is_refused_in_the_documents_words(
    api: APIClient, row: ChannelConnection, statuses: Sequence[str], words: str
) -> None:
    ids = [str(in_status(row, status).pk) for status in statuses]
    answer = disconnect(api, row.pk)
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                "error_code": "CONNECTION_HAS_ACTIVE_SCHEDULES",
                "error_description": "Cannot disconnect channel with active schedules. "
                f"Please cancel or complete {words}.",
                "error_severity": "error",
                "meta": {"active_schedules_count": len(ids), "schedule_ids": ids},
            }
        ]
    }


def test_a_refused_disconnect_changes_nothing(api: APIClient, row: ChannelConnection) -> None:
    schedule_of(row)
    before = ChannelConnection.objects.values().get()
    disconnect(api, row.pk, "?soft_delete=true")
    assert ChannelConnection.objects.values().get() == before
    assert Schedule.objects.get().status == "pending"
    assert not events("CHANNEL_DISCONNECTED")
    assert not RevocationJob.objects.exists()


@pytest.mark.parametrize("status", ["publishing", "published", "failed", "cancelled"])
def test_other_schedules_neither_block_nor_change(
    api: APIClient, row: ChannelConnection, status: str
) -> None:
    in_status(row, status)
    before = Schedule.objects.values().get()
    assert disconnect(api, row.pk, "?cancel_schedules=true").status_code == 200
    assert_disconnected(row)
    assert Schedule.objects.values().get() == before


def test_schedules_of_other_connections_do_not_count(
    api: APIClient, owner: User, row: ChannelConnection
) -> None:
    schedule_of(channel_of(owner, account_id="another"))
    assert disconnect(api, row.pk).status_code == 200
    assert Schedule.objects.get().status == "pending"


@pytest.mark.parametrize("flag", ["true", "1", "YES", "on"])
def test_they_are_cancelled_with_it_when_asked_for(
    api: APIClient, row: ChannelConnection, flag: str
) -> None:
    active = [
        schedule_of(row),
        schedule_of(row, status="queued", lease=row.pk, leased_until=timezone.now()),
    ]
    in_status(row, "published")
    assert disconnect(api, row.pk, f"?cancel_schedules={flag}").status_code == 200
    assert_disconnected(row)
    for schedule in active:
        schedule.refresh_from_db()
        assert schedule.status == "cancelled"
        assert schedule.cancelled_at is not None
        assert (schedule.lease, schedule.leased_until) == (None, None)
    assert Schedule.objects.filter(status="published").count() == 1


def test_both_events_are_recorded(api: APIClient, row: ChannelConnection) -> None:
    schedule_of(row)
    schedule_of(row)
    disconnect(api, row.pk, "?cancel_schedules=true")
    (cancelled,), (ended,) = events("SCHEDULES_CANCELLED"), events("CHANNEL_DISCONNECTED")
    assert cancelled.subject_id == ended.subject_id == row.pk
    assert cancelled.trace_id == ended.trace_id
    assert cancelled.details == {"platform": "chirp", "count": 2}
    assert ended.details["schedules_cancelled"] == 2


def test_cancelling_nothing_records_nothing(api: APIClient, row: ChannelConnection) -> None:
    disconnect(api, row.pk, "?cancel_schedules=true")
    assert not events("SCHEDULES_CANCELLED")


@pytest.mark.parametrize("flag", ["false", "0", "no", "off"])
def test_a_false_flag_is_none(api: APIClient, row: ChannelConnection, flag: str) -> None:
    schedule_of(row)
    assert disconnect(api, row.pk, f"?cancel_schedules={flag}").status_code == 400


def about_schedules(statements: list[str]) -> list[str]:
    return [sql for sql in statements if '"schedules"' in sql]


def test_ten_thousand_are_cancelled_in_one_statement(
    api: APIClient, row: ChannelConnection
) -> None:
    Schedule.objects.bulk_create(new_schedule(row) for _ in range(10_000))
    with counted() as statements:
        answer = disconnect(api, row.pk)
    meta = only_error(answer)["meta"]
    assert meta["active_schedules_count"] == 10_000
    first = Schedule.objects.order_by("id").values_list("id", flat=True)[:100]
    assert meta["schedule_ids"] == [str(each) for each in first]
    assert "10000 pending schedules first" in only_error(answer)["error_description"]
    count, ids = about_schedules(statements)
    assert "COUNT(" in count
    assert "LIMIT 100" in ids

    with counted() as statements:
        assert disconnect(api, row.pk, "?cancel_schedules=true").status_code == 200
    (update,) = about_schedules(statements)
    assert update.startswith("UPDATE")
    assert Schedule.objects.filter(status=ScheduleStatus.CANCELLED).count() == 10_000
    (event,) = events("SCHEDULES_CANCELLED")
    assert event.details["count"] == 10_000
