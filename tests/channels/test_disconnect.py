"""`DELETE /channels/connections/{id}`: the source document's steps, to the letter (seed 001)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.core.ids import uuid7
from connections_project.core.vault import Sealed
from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import GrantHold, RevocationJob
from tests.conftest import SignIn
from tests.support.channel_disconnects import CONNECTIONS, assert_disconnected, disconnect
from tests.support.channel_errors import only_error, refusal
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.chirp import Chirp, connect
from tests.support.provider_rows import events


def test_it_answers_as_documented_and_erases_tokens(api: APIClient, chirp: Chirp) -> None:
    row = connect(api)
    answer = disconnect(api, row.pk)
    assert_disconnected(row)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": str(row.pk),
            "status": "disconnected",
            "disconnected_at": f"{row.disconnected_at:%Y-%m-%dT%H:%M:%SZ}",
            "message": "Channel connection successfully disconnected",
        },
    )
    shown = api.get(f"{CONNECTIONS}/{row.pk}").json()
    assert (shown["status"], shown["disconnected_at"]) == (
        "disconnected",
        answer.json()["disconnected_at"],
    )


def test_repeating_it_changes_nothing(api: APIClient, row: ChannelConnection) -> None:
    first = disconnect(api, row.pk)
    row.refresh_from_db()
    before = (row.disconnected_at, row.epoch, row.updated_at)
    again = disconnect(api, row.pk)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    row.refresh_from_db()
    assert (row.disconnected_at, row.epoch, row.updated_at) == before
    assert len(events("CHANNEL_DISCONNECTED")) == 1
    assert RevocationJob.objects.count() == 1


def test_one_event_records_who_when_where_and_tokens(
    api: APIClient, row: ChannelConnection, owner: User
) -> None:
    answer = disconnect(api, row.pk)
    (event,) = events("CHANNEL_DISCONNECTED")
    assert (event.subject_type, event.subject_id) == ("channels.connection", row.pk)
    assert (event.subject_owner_id, event.actor_id) == (owner.pk, owner.pk)
    assert (event.actor_type, event.interface, event.outcome) == ("user", "api", "success")
    assert (event.client_address, event.trace_id) == ("127.0.0.1", answer["X-Trace-Id"])
    assert event.details == {
        "platform": "chirp",
        "credentials_erased": True,
        "revocation": "pending",
        "schedules_cancelled": 0,
    }


@pytest.mark.parametrize("status", ["connected", "expired", "error"])
def test_any_status_leads_to_disconnected(
    api: APIClient, owner: User, chirp: Chirp, status: str
) -> None:
    row = channel_of(owner, status=status)
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)
    assert not GrantHold.objects.exists()


def test_it_is_revoked_after_the_commit(
    api: APIClient, chirp: Chirp, django_capture_on_commit_callbacks: Any
) -> None:
    row = connect(api)
    with django_capture_on_commit_callbacks(execute=True):
        disconnect(api, row.pk)
        assert chirp.revoked == []
    assert chirp.revoked == ["refresh-1", "access-1"]
    assert RevocationJob.objects.get().sealed_tokens is None


def test_what_was_cached_of_the_account_is_dropped(
    api: APIClient, owner: User, chirp: Chirp
) -> None:
    row = channel_of(owner, cached_data={"picture_url": "https://chirp.example.com/ada.png"})
    disconnect(api, row.pk)
    assert_disconnected(row)


def test_history_is_kept(api: APIClient, row: ChannelConnection) -> None:
    published = schedule_of(row, status="published", published_at=timezone.now())
    PublishEvent.objects.create(
        schedule=published,
        channel_connection=row,
        outcome="published",
        platform_post_id="7",
        occurred_at=timezone.now(),
    )
    assert disconnect(api, row.pk, "?soft_delete=true").status_code == 200
    assert Schedule.objects.get().status == "published"
    assert PublishEvent.objects.get().platform_post_id == "7"
    assert api.get(f"/api/v1/schedules/{published.pk}").json()["status"] == "published"


def test_an_unreadable_ciphertext_changes_nothing(api: APIClient, row: ChannelConnection) -> None:
    ChannelConnection.objects.update(auth_state=Sealed("no ciphertext at all"))
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)
    # The job has it as it stood: a key may turn up yet.
    assert RevocationJob.objects.get().sealed_tokens == Sealed("no ciphertext at all")


def test_a_missing_key_changes_nothing(
    api: APIClient, row: ChannelConnection, settings: LazySettings
) -> None:
    settings.CREDENTIAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)


def test_a_removed_platform_still_disconnects(
    api: APIClient, row: ChannelConnection, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue("")
    answer = disconnect(api, row.pk)
    assert answer.status_code == 200
    assert "Link" not in answer
    assert_disconnected(row)
    (event,) = events("CHANNEL_DISCONNECTED")
    assert event.details["revocation"] == "not_supported"


def test_a_suspended_platform_changes_nothing(api: APIClient, row: ChannelConnection) -> None:
    Suspension.objects.create(slug="chirp", reason="broken", suspended_at=timezone.now())
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)


def test_a_link_to_help_where_nothing_can_be_revoked(
    api: APIClient, chirp: Chirp, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(chirp.catalogue().split("[channels.chirp.revocation]")[0], "chirp")
    row = connect(api)
    for _ in range(2):
        assert disconnect(api, row.pk)["Link"] == '<https://chirp.example.com/apps>; rel="help"'
    assert not RevocationJob.objects.exists()


def test_no_link_where_tokens_can_be_revoked(api: APIClient, row: ChannelConnection) -> None:
    assert "Link" not in disconnect(api, row.pk)


def test_ids_are_taken_in_any_case(api: APIClient, row: ChannelConnection) -> None:
    answer = disconnect(api, str(row.pk).upper())
    assert (answer.status_code, answer.json()["id"]) == (200, str(row.pk))
    assert_disconnected(row)


@pytest.mark.parametrize(
    "connection_id", ["nonsense", "%00", "7", "{01a2121e-1577-711d-b1b3-61979b1c9ecc}"]
)
def test_a_malformed_id_is_a_400(api: APIClient, connection_id: str) -> None:
    assert refusal(disconnect(api, connection_id)) == (400, "INVALID_CONNECTION_ID")


def test_unknown_and_deleted_answer_404(api: APIClient, owner: User, chirp: Chirp) -> None:
    gone = channel_of(owner, status="disconnected", deleted_at=timezone.now())
    for connection_id in (uuid7(), gone.pk):
        answer = disconnect(api, connection_id)
        assert answer.status_code == 404
        assert answer.json() == {
            "errors": [
                {
                    "error_code": "CONNECTION_NOT_FOUND",
                    "error_description": "Channel connection not found",
                    "error_severity": "error",
                }
            ]
        }


def test_somebody_elses_is_a_403(
    outsider: User, teammate: User, row: ChannelConnection, sign_in: SignIn
) -> None:
    for user in (outsider, teammate):
        answer = disconnect(sign_in(user), row.pk)
        assert refusal(answer) == (403, "CONNECTION_ACCESS_DENIED")
    row.refresh_from_db()
    assert row.status == "connected"


def test_a_service_account_disconnects_only_its_own(
    service_account: User, row: ChannelConnection, sign_in: SignIn
) -> None:
    robot = sign_in(service_account)
    own = channel_of(service_account, account_id="robot")
    assert disconnect(robot, own.pk).status_code == 200
    assert refusal(disconnect(robot, row.pk)) == (403, "SERVICE_ACCOUNT_NOT_ALLOWED")
    row.refresh_from_db()
    assert row.status == "connected"
    (event,) = events("CHANNEL_DISCONNECTED")
    assert (event.actor_type, event.actor_id) == ("service", service_account.pk)


def test_users_cannot_touch_a_service_accounts_own(
    api: APIClient, service_account: User, chirp: Chirp
) -> None:
    row = channel_of(service_account)
    assert refusal(disconnect(api, row.pk)) == (403, "CONNECTION_ACCESS_DENIED")


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic eDp5", "Bearer"])
@pytest.mark.parametrize("connection_id", ["nonsense", None])
def test_credentials_come_before_all_else(
    anonymous: APIClient, row: ChannelConnection, header: str | None, connection_id: str | None
) -> None:
    headers = {"Authorization": header} if header else {}
    answer = anonymous.delete(f"{CONNECTIONS}/{connection_id or row.pk}", headers=headers)
    assert refusal(answer) == (401, "AUTHENTICATION_REQUIRED")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    row.refresh_from_db()
    assert row.status == "connected"


@pytest.mark.parametrize("flag", ["cancel_schedules", "soft_delete"])
def test_a_bad_flag_is_named_and_nothing_is_done(
    api: APIClient, row: ChannelConnection, flag: str
) -> None:
    answer = disconnect(api, row.pk, f"?{flag}=perhaps")
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert only_error(answer)["meta"]["fields"][0]["field"] == flag
    row.refresh_from_db()
    assert row.status == "connected"


def test_other_methods_405_trailing_slash_404(api: APIClient, row: ChannelConnection) -> None:
    url = f"{CONNECTIONS}/{row.pk}"
    for method in (api.post, api.put, api.patch, api.options):
        answer = method(url)
        assert refusal(answer) == (405, "METHOD_NOT_ALLOWED")
        assert set(answer["Allow"].split(", ")) >= {"GET", "DELETE"}
    assert refusal(api.delete(f"{url}/")) == (404, "NOT_FOUND")


@pytest.mark.parametrize("body", ["{", '"x"', "\x00", '{"cancel_schedules": true}'])
def test_a_body_is_ignored(api: APIClient, row: ChannelConnection, body: str) -> None:
    answer = api.delete(f"{CONNECTIONS}/{row.pk}", body, content_type="application/json")
    assert answer.status_code == 200
