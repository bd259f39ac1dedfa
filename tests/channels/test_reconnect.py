"""Connecting an account again: a new record, unless it is connected (docs/api.md, "Channels")."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.grants import remove_holders
from connections_project.revocation.models import GrantHold, RevocationJob
from tests.conftest import SignIn, UseCatalogue
from tests.support.channel_disconnects import CONNECTIONS, disconnect
from tests.support.channel_errors import only_error, refusal
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.chirp import Chirp, call_back, connect, start
from tests.support.provider_rows import events

pytestmark = pytest.mark.usefixtures("unlimited")
Reconnect = Callable[[], Any]


@pytest.fixture
def reconnect(api: APIClient, django_capture_on_commit_callbacks: Any) -> Reconnect:
    """Connect, run the revocations due, and return the answer."""

    def reconnect() -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return call_back(api, start(api))

    return reconnect


def test_after_a_disconnect_a_new_row_is_made(api: APIClient, chirp: Chirp) -> None:
    old = connect(api)
    disconnect(api, old.pk)
    before = ChannelConnection.objects.values().get()
    new = connect(api)
    assert new.pk != old.pk
    assert ChannelConnection.objects.filter(pk=old.pk).values().get() == before
    assert [each["status"] for each in api.get(CONNECTIONS).json()["data"]] == [
        "connected",
        "disconnected",
    ]


def test_the_history_of_the_old_record_is_intact(api: APIClient, chirp: Chirp) -> None:
    old = connect(api)
    schedule_of(old)
    disconnect(api, old.pk, "?cancel_schedules=true")
    new = connect(api)
    assert Schedule.objects.get().channel_connection_id == old.pk
    query = f"?channel_connection_id={new.pk}"
    assert api.get(f"/api/v1/schedules{query}").json()["pagination"]["total"] == 0


def test_a_connected_account_is_409_and_renewed(
    api: APIClient, chirp: Chirp, reconnect: Reconnect
) -> None:
    row = connect(api)
    answer = reconnect()
    assert refusal(answer) == (409, "ALREADY_CONNECTED")
    assert only_error(answer)["meta"] == {"id": str(row.pk)}
    again = ChannelConnection.objects.get()
    assert (again.pk, again.status) == (row.pk, "connected")
    assert again.opened().access_token == "access-2"
    assert again.epoch > row.epoch
    assert again.created_at == row.created_at
    assert GrantHold.objects.get().connection_id == row.pk
    assert [event.details["reauthorised"] for event in events("CHANNEL_CONNECTED")] == [False, True]


def test_the_tokens_that_were_replaced_are_revoked(
    api: APIClient, chirp: Chirp, reconnect: Reconnect
) -> None:
    connect(api)
    reconnect()
    assert chirp.revoked == ["refresh-1", "access-1"]


def test_a_shared_grant_is_not_revoked(
    api: APIClient, chirp: Chirp, reconnect: Reconnect, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(revocation='blast_radius = "grant"'), "chirp")
    connect(api)
    reconnect()
    assert chirp.revoked == []
    assert not RevocationJob.objects.exists()


def test_a_reissued_token_is_not_revoked(
    api: APIClient, chirp: Chirp, reconnect: Reconnect
) -> None:
    connect(api)
    chirp.server.on("POST", "/token", lambda _: chirp.tokens(refresh_token="refresh-1"))
    assert reconnect().status_code == 409
    assert chirp.revoked == []


def test_schedules_of_a_connected_account_stay(api: APIClient, chirp: Chirp) -> None:
    row = connect(api)
    schedule = schedule_of(row)
    call_back(api, start(api))
    schedule.refresh_from_db()
    assert (schedule.channel_connection_id, schedule.status) == (row.pk, "pending")


def dead(row: ChannelConnection, status: str) -> None:
    """Leave a row as a refresh does that was refused for good."""
    ChannelConnection.objects.filter(pk=row.pk).update(status=status)
    remove_holders(row.pk)


@pytest.mark.parametrize("status", ["expired", "error"])
def test_a_dead_connection_is_superseded(
    api: APIClient, chirp: Chirp, reconnect: Reconnect, status: str
) -> None:
    old = connect(api)
    dead(old, status)
    answer = reconnect()
    assert answer.status_code == 201
    new = ChannelConnection.objects.get(pk=answer.json()["id"])
    assert new.pk != old.pk
    assert (new.status, new.opened().access_token) == ("connected", "access-2")
    old.refresh_from_db()
    assert (old.status, old.auth_state) == ("disconnected", None)
    assert GrantHold.objects.get().connection_id == new.pk
    assert chirp.revoked == ["refresh-1", "access-1"]


def test_schedules_move_to_the_new_connection(
    api: APIClient, chirp: Chirp, reconnect: Reconnect
) -> None:
    old = connect(api)
    waiting = schedule_of(old)
    claimed = schedule_of(old, status="queued", lease=old.pk, leased_until=old.created_at)
    on_its_way = schedule_of(old, status="publishing")
    dead(old, "expired")
    new_id = reconnect().json()["id"]
    for schedule in (waiting, claimed):
        schedule.refresh_from_db()
        assert str(schedule.channel_connection_id) == new_id
        assert (schedule.status, schedule.lease) == ("pending", None)
    on_its_way.refresh_from_db()
    assert on_its_way.channel_connection_id == old.pk


def test_superseding_is_audited(api: APIClient, chirp: Chirp, reconnect: Reconnect) -> None:
    old = connect(api)
    schedule_of(old)
    dead(old, "expired")
    new_id = reconnect().json()["id"]
    (ended,) = events("CHANNEL_DISCONNECTED")
    assert ended.subject_id == old.pk
    assert ended.details == {
        "platform": "chirp",
        "credentials_erased": True,
        "revocation": "pending",
        "superseded_by": new_id,
        "schedules_moved": 1,
    }


def test_superseding_keeps_the_shared_grant(
    api: APIClient, chirp: Chirp, reconnect: Reconnect, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(revocation='blast_radius = "grant"'), "chirp")
    dead(connect(api), "expired")
    assert reconnect().status_code == 201
    assert chirp.revoked == []
    assert not RevocationJob.objects.exists()


def test_superseding_keeps_a_reissued_token(
    api: APIClient, chirp: Chirp, reconnect: Reconnect
) -> None:
    dead(connect(api), "expired")
    chirp.server.on("POST", "/token", lambda _: chirp.tokens(refresh_token="refresh-1"))
    assert reconnect().status_code == 201
    assert chirp.revoked == []


def test_another_account_makes_a_record_of_its_own(
    api: APIClient, chirp: Chirp, reconnect: Reconnect
) -> None:
    first = connect(api)
    chirp.account_id = "customer-8"
    assert reconnect().status_code == 201
    first.refresh_from_db()
    assert (first.status, first.opened().access_token) == ("connected", "access-1")
    assert chirp.revoked == []


def test_another_user_makes_a_record_of_their_own(
    api: APIClient, chirp: Chirp, outsider: User, sign_in: SignIn, reconnect: Reconnect
) -> None:
    channel_of(outsider, tokens=TokenSet("theirs", "theirs"))
    assert reconnect().status_code == 201
    assert ChannelConnection.objects.filter(status="connected").count() == 2
    assert chirp.revoked == []
