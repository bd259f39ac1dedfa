"""`POST /schedules/{id}/cancel`, `POST /schedules/bulk-cancel`."""

from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from tests.conftest import SignIn
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.channel_rows import channel_of, new_schedule, schedule_of
from tests.support.channel_scheduling import SCHEDULES
from tests.support.provider_rows import events
from tests.support.sql_statements import counted

BULK = f"{SCHEDULES}/bulk-cancel"


def cancel(api: APIClient, schedule_id: object) -> Any:
    return api.post(f"{SCHEDULES}/{schedule_id}/cancel")


def bulk_cancel(api: APIClient, **body: Any) -> Any:
    return api.post(BULK, body, format="json")


def statuses(*schedules: Schedule) -> list[str]:
    for each in schedules:
        each.refresh_from_db()
    return [each.status for each in schedules]


@pytest.mark.parametrize("status", ["pending", "queued"])
def test_what_waits_is_cancelled(api: APIClient, row: ChannelConnection, status: str) -> None:
    made = schedule_of(row, status=status)
    answer = cancel(api, made.pk)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["cancelled_at"] is not None
    assert answer.json()["updated_at"] == answer.json()["cancelled_at"]
    assert api.get(f"{SCHEDULES}/{made.pk}").json() == answer.json()


def test_a_worker_that_has_claimed_it_loses_it(api: APIClient, row: ChannelConnection) -> None:
    made = schedule_of(row, status="queued", lease=uuid7(), leased_until=timezone.now())
    cancel(api, made.pk)
    made.refresh_from_db()
    assert (made.lease, made.leased_until) == (None, None)


def test_it_is_audited(api: APIClient, row: ChannelConnection, owner: User) -> None:
    made = schedule_of(row)
    cancel(api, made.pk)
    (event,) = events("SCHEDULES_CANCELLED")
    assert (event.subject_type, event.subject_id) == ("channels.connection", row.pk)
    assert (event.actor_id, event.subject_owner_id) == (owner.pk, owner.pk)
    assert event.details == {"platform": "chirp", "count": 1, "schedule_ids": [str(made.pk)]}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("cancelled", "SCHEDULE_ALREADY_CANCELLED"),
        ("publishing", "SCHEDULE_CANNOT_BE_CANCELLED"),
        ("published", "SCHEDULE_CANNOT_BE_CANCELLED"),
        ("failed", "SCHEDULE_CANNOT_BE_CANCELLED"),
    ],
)
def test_what_can_not_be_cancelled_stays_as_it_is(
    api: APIClient, row: ChannelConnection, status: str, code: str
) -> None:
    made = schedule_of(row, status=status)
    assert refusal(cancel(api, made.pk)) == (400, code)
    assert statuses(made) == [status]
    assert not events("SCHEDULES_CANCELLED")


def test_whose_it_is(
    api: APIClient, row: ChannelConnection, service_account: User, sign_in: SignIn
) -> None:
    made = schedule_of(row)
    assert refusal(cancel(api, "nonsense")) == (400, "INVALID_SCHEDULE_ID")
    assert refusal(cancel(api, uuid7())) == (404, "SCHEDULE_NOT_FOUND")
    denied = (403, "SCHEDULE_ACCESS_DENIED")
    assert refusal(cancel(sign_in(service_account), made.pk)) == denied
    assert statuses(made) == ["pending"]


def test_without_credentials_it_is_a_401(anonymous: APIClient, row: ChannelConnection) -> None:
    made = schedule_of(row)
    assert refusal(cancel(anonymous, made.pk)) == (401, "AUTHENTICATION_REQUIRED")
    answer = bulk_cancel(anonymous, schedule_ids=[str(made.pk)])
    assert refusal(answer) == (401, "AUTHENTICATION_REQUIRED")


def test_a_bulk_cancel_names_what_it_could_not(
    api: APIClient, row: ChannelConnection, outsider: User
) -> None:
    waiting, queued = schedule_of(row), schedule_of(row, status="queued")
    over, published = schedule_of(row, status="cancelled"), schedule_of(row, status="published")
    foreign, unknown = schedule_of(channel_of(outsider)), uuid7()
    ids = [each.pk for each in (waiting, over, queued, published, foreign)]
    answer = bulk_cancel(api, schedule_ids=[str(each).upper() for each in (*ids, unknown)])
    assert answer.status_code == 200
    assert answer.json() == {
        "cancelled": 2,
        "failed": 4,
        "errors": [
            {"schedule_id": str(over.pk), "error_code": "SCHEDULE_ALREADY_CANCELLED"},
            {"schedule_id": str(published.pk), "error_code": "SCHEDULE_CANNOT_BE_CANCELLED"},
            {"schedule_id": str(foreign.pk), "error_code": "SCHEDULE_NOT_FOUND"},
            {"schedule_id": str(unknown), "error_code": "SCHEDULE_NOT_FOUND"},
        ],
    }
    assert statuses(waiting, queued, over, published, foreign) == [
        "cancelled", "cancelled", "cancelled", "published", "pending",
    ]  # fmt: skip


def test_one_that_is_named_twice_counts_once(api: APIClient, row: ChannelConnection) -> None:
    made = schedule_of(row)
    answer = bulk_cancel(api, schedule_ids=[str(made.pk), str(made.pk).upper()])
    assert answer.json() == {"cancelled": 1, "failed": 0, "errors": []}


def test_each_channel_has_an_event_of_its_own(
    api: APIClient, owner: User, row: ChannelConnection
) -> None:
    other = channel_of(owner, account_id="another")
    made = [schedule_of(row), schedule_of(row), schedule_of(other)]
    bulk_cancel(api, schedule_ids=[str(each.pk) for each in made])
    recorded = {event.subject_id: event.details["count"] for event in events("SCHEDULES_CANCELLED")}
    assert recorded == {row.pk: 2, other.pk: 1}


def test_all_of_a_channel_are_cancelled(
    api: APIClient, owner: User, row: ChannelConnection
) -> None:
    active = [schedule_of(row), schedule_of(row, status="queued")]
    others = [
        schedule_of(row, status="publishing"),
        schedule_of(channel_of(owner, account_id="another")),
    ]
    answer = bulk_cancel(api, channel_connection_id=str(row.pk))
    assert answer.json() == {"cancelled": 2, "failed": 0, "errors": []}
    assert statuses(*active, *others) == ["cancelled", "cancelled", "publishing", "pending"]
    assert bulk_cancel(api, channel_connection_id=str(row.pk)).json()["cancelled"] == 0
    assert len(events("SCHEDULES_CANCELLED")) == 1


def test_a_channel_that_is_none_of_ones_own(
    api: APIClient, row: ChannelConnection, outsider: User, sign_in: SignIn
) -> None:
    made = schedule_of(row)
    answer = bulk_cancel(api, channel_connection_id="nonsense")
    assert refusal(answer) == (400, "INVALID_CONNECTION_ID")
    assert wrong_fields(answer) == ["channel_connection_id"]
    answer = bulk_cancel(api, channel_connection_id=str(uuid7()))
    assert refusal(answer) == (404, "CONNECTION_NOT_FOUND")
    answer = bulk_cancel(sign_in(outsider), channel_connection_id=str(row.pk))
    assert refusal(answer) == (403, "CONNECTION_ACCESS_DENIED")
    assert statuses(made) == ["pending"]


ONE = str(UUID(int=7))


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["schedule_ids"]),
        ({"schedule_ids": None, "channel_connection_id": None}, ["schedule_ids"]),
        ({"schedule_ids": [ONE], "channel_connection_id": ONE}, ["schedule_ids"]),
        ({"schedule_ids": []}, ["schedule_ids"]),
        ({"schedule_ids": ONE}, ["schedule_ids"]),
        ({"schedule_ids": {"a": ONE}}, ["schedule_ids"]),
        ({"schedule_ids": [ONE, 7]}, ["schedule_ids.1"]),
        ({"schedule_ids": [None]}, ["schedule_ids.0"]),
        ({"schedule_ids": [[ONE]]}, ["schedule_ids.0"]),
        ({"schedule_ids": [ONE] * 1001}, ["schedule_ids"]),
        ({"channel_connection_id": 7}, ["channel_connection_id"]),
        ({"channel_connection_id": ""}, ["channel_connection_id"]),
    ],
)
def test_a_bad_body_is_refused_and_the_field_named(
    api: APIClient, db: None, body: dict[str, Any], fields: list[str]
) -> None:
    answer = api.post(BULK, body, format="json")
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert wrong_fields(answer) == fields


def test_one_malformed_id_refuses_them_all(api: APIClient, row: ChannelConnection) -> None:
    made = schedule_of(row)
    answer = bulk_cancel(api, schedule_ids=[str(made.pk), "nonsense"])
    assert refusal(answer) == (400, "INVALID_SCHEDULE_ID")
    assert wrong_fields(answer) == ["schedule_ids.1"]
    assert statuses(made) == ["pending"]


def test_a_thousand_take_as_many_statements_as_one(api: APIClient, row: ChannelConnection) -> None:
    made = Schedule.objects.bulk_create(new_schedule(row) for _ in range(1000))
    with counted() as statements:
        answer = bulk_cancel(api, schedule_ids=[str(each.pk) for each in made])
    assert answer.json()["cancelled"] == 1000
    # Their connections, themselves, the one UPDATE, the one event.
    assert len(statements) == 4
