"""`GET /schedules`, `GET /schedules/{id}`."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, ScheduleStatus
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from tests.conftest import SignIn
from tests.support.channel_disconnects import disconnect
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.channel_scheduling import SCHEDULES, schedule


def ids(api: APIClient, query: str = "") -> list[str]:
    return [one["id"] for one in api.get(SCHEDULES + query).json()["data"]]


def test_one_is_shown_as_it_was_made(api: APIClient, row: ChannelConnection) -> None:
    made = schedule(api, row.pk).json()
    assert api.get(f"{SCHEDULES}/{made['id']}").json() == made
    assert api.get(f"{SCHEDULES}/{made['id'].upper()}").json() == made
    assert api.get(SCHEDULES).json()["data"] == [made]


def test_a_failed_one_says_why(api: APIClient, row: ChannelConnection) -> None:
    failed = schedule_of(row, status="failed", failure_reason="outcome_unknown")
    shown = api.get(f"{SCHEDULES}/{failed.pk}").json()
    assert (shown["status"], shown["failure_reason"]) == ("failed", "outcome_unknown")


def test_newest_first_in_a_stable_order(api: APIClient, row: ChannelConnection) -> None:
    now = timezone.now()
    same = [schedule_of(row, created_at=now) for _ in range(5)]
    old = schedule_of(row, created_at=now - timedelta(hours=1))
    expected = [*sorted((str(each.pk) for each in same), reverse=True), str(old.pk)]
    assert ids(api) == expected
    assert ids(api, "?limit=4&page=2") == expected[4:]


@pytest.mark.parametrize("status", ScheduleStatus.values)
def test_it_can_be_filtered_by_status(api: APIClient, row: ChannelConnection, status: str) -> None:
    made = {each: schedule_of(row, status=each) for each in ScheduleStatus.values}
    assert ids(api, f"?status={status}") == [str(made[status].pk)]


def test_it_can_be_filtered_by_connection(
    api: APIClient, owner: User, row: ChannelConnection
) -> None:
    schedule_of(row)
    other = channel_of(owner, account_id="another")
    expected = [str(schedule_of(other, status="failed").pk)]
    assert ids(api, f"?channel_connection_id={str(other.pk).upper()}") == expected
    assert ids(api, f"?channel_connection_id={other.pk}&status=pending") == []


def test_schedules_outlive_their_connection(api: APIClient, row: ChannelConnection) -> None:
    made = schedule_of(row)
    disconnect(api, row.pk, "?cancel_schedules=true&soft_delete=true")
    assert ids(api) == [str(made.pk)]
    assert api.get(f"{SCHEDULES}/{made.pk}").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=active", "status"),
        ("status=", "status"),
        ("page=0", "page"),
        ("limit=101", "limit"),
        ("channel_connection_id=a%00", "channel_connection_id"),
    ],
)
def test_a_bad_filter_or_page_is_named(api: APIClient, query: str, field: str) -> None:
    answer = api.get(f"{SCHEDULES}?{query}")
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert wrong_fields(answer) == [field]


def test_filtering_by_a_foreign_connection_is_empty(
    api: APIClient, row: ChannelConnection, outsider: User, sign_in: SignIn
) -> None:
    url = f"{SCHEDULES}?channel_connection_id="
    for text in ("", "nonsense"):
        answer = api.get(url + text)
        assert refusal(answer) == (400, "INVALID_CONNECTION_ID")
        assert wrong_fields(answer) == ["channel_connection_id"]
    assert refusal(api.get(f"{url}{uuid7()}")) == (404, "CONNECTION_NOT_FOUND")
    denied = (403, "CONNECTION_ACCESS_DENIED")
    assert refusal(sign_in(outsider).get(f"{url}{row.pk}")) == denied


def test_whose_it_is(
    api: APIClient, row: ChannelConnection, teammate: User, service_account: User, sign_in: SignIn
) -> None:
    made = schedule_of(row)
    assert refusal(api.get(f"{SCHEDULES}/nonsense")) == (400, "INVALID_SCHEDULE_ID")
    assert refusal(api.get(f"{SCHEDULES}/{uuid7()}")) == (404, "SCHEDULE_NOT_FOUND")
    for user in (teammate, service_account):
        client = sign_in(user)
        assert ids(client) == []
        denied = (403, "SCHEDULE_ACCESS_DENIED")
        assert refusal(client.get(f"{SCHEDULES}/{made.pk}")) == denied


def test_without_credentials_it_is_a_401(anonymous: APIClient, db: None) -> None:
    for url in (SCHEDULES, f"{SCHEDULES}/nonsense"):
        assert refusal(anonymous.get(url)) == (401, "AUTHENTICATION_REQUIRED")
