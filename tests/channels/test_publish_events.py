"""`GET /channels/connections/{id}/publish-events`: what became of what was published."""

from datetime import timedelta

from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, PublishEvent
from connections_project.identity.models import User
from tests.conftest import SignIn
from tests.support.channel_disconnects import CONNECTIONS, disconnect
from tests.support.channel_errors import refusal
from tests.support.channel_rows import channel_of, schedule_of


def event_of(row: ChannelConnection, **columns: object) -> PublishEvent:
    given = {"outcome": "published", "occurred_at": timezone.now(), **columns}
    return PublishEvent.objects.create(channel_connection=row, **given)


def test_it_shows_what_the_channel_made_of_each_post(
    api: APIClient, row: ChannelConnection
) -> None:
    schedule = schedule_of(row)
    now = timezone.now()
    failed = event_of(
        row,
        schedule=schedule,
        outcome="failed",
        error_code="outcome_unknown",
        occurred_at=now - timedelta(minutes=1),
    )
    published = event_of(
        row,
        schedule=schedule,
        platform_post_id="115603",
        post_url="https://chirp.example.com/115603",
        occurred_at=now,
    )
    answer = api.get(f"{CONNECTIONS}/{row.pk}/publish-events")
    assert answer.json()["pagination"]["total"] == 2
    assert answer.json()["data"] == [
        {
            "id": str(published.pk),
            "channel_connection_id": str(row.pk),
            "schedule_id": str(schedule.pk),
            "outcome": "published",
            "platform_post_id": "115603",
            "post_url": "https://chirp.example.com/115603",
            "error_code": None,
            "occurred_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        },
        {
            "id": str(failed.pk),
            "channel_connection_id": str(row.pk),
            "schedule_id": str(schedule.pk),
            "outcome": "failed",
            "platform_post_id": None,
            "post_url": None,
            "error_code": "outcome_unknown",
            "occurred_at": f"{failed.occurred_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    ]


def test_they_outlive_a_disconnect_in_stable_pages(api: APIClient, row: ChannelConnection) -> None:
    now = timezone.now()
    made = [event_of(row, occurred_at=now) for _ in range(5)]
    disconnect(api, row.pk)
    url = f"{CONNECTIONS}/{row.pk}/publish-events?limit=2&page="
    seen = [each["id"] for page in (1, 2, 3) for each in api.get(f"{url}{page}").json()["data"]]
    assert seen == sorted((str(each.pk) for each in made), reverse=True)


def test_other_connections_have_their_own(
    api: APIClient, owner: User, row: ChannelConnection
) -> None:
    event_of(channel_of(owner, account_id="another"))
    assert api.get(f"{CONNECTIONS}/{row.pk}/publish-events").json()["data"] == []


def test_somebody_elses_is_a_403(outsider: User, row: ChannelConnection, sign_in: SignIn) -> None:
    answer = sign_in(outsider).get(f"{CONNECTIONS}/{row.pk}/publish-events")
    assert refusal(answer) == (403, "CONNECTION_ACCESS_DENIED")
