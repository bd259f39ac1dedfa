"""`?soft_delete=true`: out of sight, kept in the database (seed 001, step 8)."""

from typing import Any

from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.identity.models import User
from tests.support.channel_disconnects import CONNECTIONS, assert_disconnected, disconnect
from tests.support.channel_errors import refusal
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.provider_rows import events


def assert_out_of_sight(api: APIClient, row: ChannelConnection) -> None:
    url = f"{CONNECTIONS}/{row.pk}"
    calls: list[Any] = [
        api.get(url),
        api.delete(url),
        api.delete(f"{url}?soft_delete=true"),
        api.post(f"{url}/refresh"),
        api.get(f"{url}/publish-events"),
        api.get(f"/api/v1/schedules?channel_connection_id={row.pk}"),
    ]
    assert [refusal(answer) for answer in calls] == [(404, "CONNECTION_NOT_FOUND")] * len(calls)
    assert api.get(CONNECTIONS).json()["data"] == []


def test_one_call_disconnects_and_deletes(api: APIClient, row: ChannelConnection) -> None:
    answer = disconnect(api, row.pk, "?soft_delete=true")
    assert (answer.status_code, answer.json()["status"]) == (200, "disconnected")
    assert_disconnected(row)
    assert row.deleted_at is not None
    assert_out_of_sight(api, row)
    recorded = events("CHANNEL_DISCONNECTED") + events("CHANNEL_DELETED")
    assert [event.subject_id for event in recorded] == [row.pk, row.pk]


def test_a_disconnected_one_can_be_deleted_later(api: APIClient, row: ChannelConnection) -> None:
    first = disconnect(api, row.pk)
    answer = disconnect(api, row.pk, "?soft_delete=true")
    assert (answer.status_code, answer.json()) == (200, first.json())
    assert_out_of_sight(api, row)
    assert len(events("CHANNEL_DISCONNECTED")) == 1


def test_without_it_a_disconnected_one_stays_in_sight(
    api: APIClient, row: ChannelConnection
) -> None:
    disconnect(api, row.pk)
    (shown,) = api.get(CONNECTIONS).json()["data"]
    assert (shown["id"], shown["status"]) == (str(row.pk), "disconnected")


def test_the_row_stays_for_the_audit(api: APIClient, owner: User, chirp: Chirp) -> None:
    row = channel_of(owner)
    disconnect(api, row.pk, "?soft_delete=true")
    kept = ChannelConnection.objects.get()
    assert (kept.platform_account_id, kept.user_id) == ("customer-7", owner.pk)
