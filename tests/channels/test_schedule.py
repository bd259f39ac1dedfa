"""`POST /schedules` (docs/api.md, "Schedules")."""

from datetime import timedelta, timezone
from typing import Any

import pytest
from django.utils import timezone as clock
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from tests.conftest import SignIn
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.channel_rows import channel_of
from tests.support.channel_scheduling import SCHEDULES, schedule, tomorrow
from tests.support.chirp import Chirp
from tests.support.provider_rows import events


def test_it_answers_with_the_schedule(api: APIClient, row: ChannelConnection) -> None:
    image_url = "https://example.com/door.jpg"
    run_at = f"{tomorrow():%Y-%m-%dT%H:%M:%SZ}"
    answer = schedule(api, row.pk, image_url=image_url, run_at=run_at)
    assert answer.status_code == 201
    made = Schedule.objects.get()
    assert answer.json() == {
        "id": str(made.pk),
        "channel_connection_id": str(row.pk),
        "content": "Hello",
        "image_url": image_url,
        "options": {},
        "run_at": run_at,
        "status": "pending",
        "failure_reason": None,
        "published_at": None,
        "cancelled_at": None,
        "created_at": f"{made.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{made.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert (made.user_id, made.due_at, made.attempts) == (row.user_id, made.run_at, 0)


def test_it_is_audited(api: APIClient, row: ChannelConnection, owner: User) -> None:
    made = schedule(api, row.pk).json()["id"]
    (event,) = events("SCHEDULE_CREATED")
    assert (event.subject_type, str(event.subject_id)) == ("channels.schedule", made)
    assert (event.actor_id, event.subject_owner_id) == (owner.pk, owner.pk)
    assert event.details == {"platform": "chirp", "connection_id": str(row.pk)}


def test_the_text_stays_as_it_stands(api: APIClient, row: ChannelConnection) -> None:
    text = "  Zwölf Boxkämpfer \n\n🥊 <b> & 'quotes'\t "
    assert schedule(api, row.pk, content=text).json()["content"] == text
    assert Schedule.objects.get().content == text


@pytest.mark.parametrize("zone", [0, 90, -300])
def test_a_time_may_have_any_zone(api: APIClient, row: ChannelConnection, zone: int) -> None:
    run_at = tomorrow()
    local = run_at.astimezone(timezone(timedelta(minutes=zone)))
    answer = schedule(api, row.pk, run_at=local.isoformat())
    assert answer.json()["run_at"] == f"{run_at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.250Z", "%Y-%m-%d %H:%M:%Sz", "%Y-%m-%dT%H:%MZ"]
)
def test_a_time_without_a_zone_is_utc(api: APIClient, row: ChannelConnection, form: str) -> None:
    run_at = tomorrow()
    recorded = schedule(api, row.pk, run_at=run_at.strftime(form)).json()["run_at"]
    assert recorded[:16] == f"{run_at:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    "run_at",
    [
        "tomorrow",
        "2030-13-01T00:00:00Z",
        "2030-02-30T00:00:00Z",
        "2030-01-01T25:00:00Z",
        "2030-01-01",
        "20300101T000000Z",
        "2030-W01-1",
        "1893456000",
        "9999-12-31T23:59:59-14:00",
        "2030-01-01T00:00:00+99:00",
        "٢٠٣٠-01-01T00:00:00Z",
    ],
)
def test_a_malformed_time_is_refused(api: APIClient, row: ChannelConnection, run_at: str) -> None:
    answer = schedule(api, row.pk, run_at=run_at)
    assert refusal(answer) == (400, "INVALID_SCHEDULE_TIME")
    assert wrong_fields(answer) == ["run_at"]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=1), timedelta(days=400)])
def test_a_time_that_has_passed_is_refused(
    api: APIClient, row: ChannelConnection, ago: timedelta
) -> None:
    answer = schedule(api, row.pk, run_at=(clock.now() - ago).isoformat())
    assert refusal(answer) == (400, "INVALID_SCHEDULE_TIME")
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("status", ["expired", "error", "disconnected"])
def test_a_disconnected_channel_takes_nothing(
    api: APIClient, owner: User, chirp: Chirp, status: str
) -> None:
    row = channel_of(owner, status=status)
    assert refusal(schedule(api, row.pk)) == (400, "CONNECTION_INACTIVE")
    assert not Schedule.objects.exists()


def test_a_missing_or_foreign_connection_is_refused(
    api: APIClient,
    owner: User,
    row: ChannelConnection,
    service_account: User,
    outsider: User,
    sign_in: SignIn,
) -> None:
    gone = channel_of(owner, status="disconnected", deleted_at=clock.now())
    for connection_id in (uuid7(), gone.pk):
        assert refusal(schedule(api, connection_id)) == (404, "CONNECTION_NOT_FOUND")
    for user in (service_account, outsider):
        denied = (403, "CONNECTION_ACCESS_DENIED")
        assert refusal(schedule(sign_in(user), row.pk)) == denied
    answer = schedule(api, "nonsense")
    assert refusal(answer) == (400, "INVALID_CONNECTION_ID")
    assert wrong_fields(answer) == ["channel_connection_id"]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel_connection_id", 7),
        ("channel_connection_id", None),
        ("channel_connection_id", ""),
        ("content", None),
        ("content", ""),
        ("content", " \n\t"),
        ("content", 7),
        ("content", ["a"]),
        ("content", "a\0b"),
        ("content", "x" * 10_001),
        ("image_url", "http://example.com/a.jpg"),
        ("image_url", "https://"),
        ("image_url", "https://[::1/a.jpg"),
        ("image_url", "https://example.com:0x/a"),
        ("image_url", "https://example.com/a b"),
        ("image_url", "javascript:alert(1)"),
        ("image_url", "file:///etc/passwd"),
        ("image_url", "https://example.com/\x7f"),
        ("image_url", ""),
        ("image_url", 7),
        ("image_url", f"https://example.com/{'x' * 2048}"),
        ("run_at", None),
        ("run_at", 1893456000),
        ("run_at", ""),
    ],
)
def test_a_bad_field_is_named(
    api: APIClient, row: ChannelConnection, field: str, value: Any
) -> None:
    answer = schedule(api, row.pk, **{field: value})
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert wrong_fields(answer) == [field]
    assert not Schedule.objects.exists()


def test_all_missing_fields_are_named_at_once(api: APIClient) -> None:
    answer = api.post(SCHEDULES, {}, format="json")
    assert wrong_fields(answer) == ["channel_connection_id", "content", "run_at"]


def test_unknown_fields_are_ignored_null_is_no_image(
    api: APIClient, row: ChannelConnection
) -> None:
    answer = schedule(api, row.pk, status="published", attempts=9, image_url=None)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert answer.json()["image_url"] is None


def test_nothing_is_fetched_from_a_pictures_address(
    api: APIClient, row: ChannelConnection, chirp: Chirp
) -> None:
    address = chirp.server.url.replace("http://", "https://")
    assert schedule(api, row.pk, image_url=f"{address}/a.jpg").status_code == 201
    assert chirp.server.requests == []


def test_without_credentials_it_is_a_401(anonymous: APIClient, row: ChannelConnection) -> None:
    assert refusal(schedule(anonymous, row.pk)) == (401, "AUTHENTICATION_REQUIRED")
