"""`POST /channels/callback`: by the rules of all callbacks, in this app's words."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold, RevocationJob
from tests.conftest import SignIn, UseCatalogue
from tests.support import bank as providers
from tests.support.absent_redis import NO_REDIS
from tests.support.bank import ISSUER, Bank
from tests.support.channel_disconnects import CONNECTIONS
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.chirp import Chirp, call_back, connect, start
from tests.support.platform_server import Answer
from tests.support.provider_rows import events

CALLBACK = "/api/v1/channels/callback"
INVALID_STATE = (400, "INVALID_STATE")
FIELDS = {
    "id", "channel", "account_id", "account_name", "status", "connected_at", "disconnected_at",
    "created_at", "updated_at",
}  # fmt: skip


def untouched(chirp: Chirp) -> bool:
    return not chirp.server.requests and not ChannelConnection.objects.exists()


def test_it_answers_with_the_connection(api: APIClient, chirp: Chirp) -> None:
    answer = call_back(api, start(api))
    assert answer.status_code == 201
    shown = answer.json()
    assert set(shown) == FIELDS
    assert (shown["channel"], shown["status"]) == ("chirp", "connected")
    assert (shown["account_id"], shown["account_name"]) == ("customer-7", "Ada")
    assert shown["disconnected_at"] is None
    assert shown["connected_at"] is not None
    assert api.get(f"{CONNECTIONS}/{shown['id']}").json() == shown


def test_the_row_stores_sealed_tokens_and_the_grant(
    api: APIClient, chirp: Chirp, owner: User
) -> None:
    row = connect(api)
    assert row.opened().access_token == "access-1"
    assert row.auth_state is not None
    assert "access-1" not in row.auth_state.ciphertext
    assert (row.user, row.granting_user_id) == (owner, "customer-7")
    hold = GrantHold.objects.get()
    assert (hold.app, hold.connection_id) == ("channels", row.pk)


def test_the_picture_is_cached_until_disconnect(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(more='account_picture_field = "avatar"'), "chirp")
    picture = {"sub": "customer-7", "avatar": "https://chirp.example.com/ada.png"}
    chirp.server.on("GET", "/me", Answer(json=picture))
    row = connect(api)
    assert row.cached_data == {"picture_url": "https://chirp.example.com/ada.png"}
    api.delete(f"{CONNECTIONS}/{row.pk}")
    row.refresh_from_db()
    assert row.cached_data is None


def test_one_event_is_recorded(api: APIClient, chirp: Chirp, owner: User) -> None:
    row = connect(api)
    (event,) = events("CHANNEL_CONNECTED")
    assert (event.subject_type, event.subject_id) == ("channels.connection", row.pk)
    assert (event.actor_id, event.subject_owner_id) == (owner.pk, owner.pk)
    assert event.details == {"platform": "chirp", "reauthorised": False}


def test_the_state_suffices_without_a_sign_in(
    api: APIClient, anonymous: APIClient, chirp: Chirp, owner: User
) -> None:
    assert call_back(anonymous, start(api)).status_code == 201
    assert ChannelConnection.objects.get().user == owner
    assert events("CHANNEL_CONNECTED")[0].actor_id == owner.pk


def test_a_bad_bearer_is_a_401_and_keeps_the_state(
    api: APIClient, anonymous: APIClient, chirp: Chirp
) -> None:
    state = start(api)
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert refusal(call_back(anonymous, state)) == (401, "AUTHENTICATION_REQUIRED")
    assert call_back(api, state).status_code == 201


def test_a_strangers_bearer_consumes_the_state(
    api: APIClient, outsider: User, owner: User, chirp: Chirp, sign_in: SignIn
) -> None:
    state = start(api)
    assert refusal(call_back(sign_in(outsider), state)) == INVALID_STATE
    assert untouched(chirp)
    assert refusal(call_back(api, state)) == INVALID_STATE
    (event,) = events("CHANNEL_CONNECTION_FAILED")
    assert (event.actor_id, event.subject_owner_id) == (outsider.pk, owner.pk)
    assert event.details == {"platform": "chirp", "error": "invalid_state"}


@pytest.mark.parametrize("query", [{}, {"code": ""}, {"error": ""}])
def test_a_missing_code_is_named_and_keeps_the_state(
    api: APIClient, chirp: Chirp, query: dict[str, str]
) -> None:
    state = start(api)
    assert wrong_fields(api.post(CALLBACK, query_params={"state": state, **query})) == ["code"]
    assert call_back(api, state).status_code == 201


def test_a_missing_state_is_named(anonymous: APIClient, chirp: Chirp) -> None:
    assert wrong_fields(anonymous.post(CALLBACK, query_params={"code": "c"})) == ["state"]
    assert wrong_fields(anonymous.post(CALLBACK)) == ["code", "state"]


@pytest.mark.parametrize("state", ["unknown", "x" * 5000, "ünknown"])
def test_an_unknown_state_is_refused(anonymous: APIClient, chirp: Chirp, state: str) -> None:
    assert refusal(call_back(anonymous, state)) == INVALID_STATE
    assert untouched(chirp)


def test_a_used_state_is_refused(api: APIClient, chirp: Chirp) -> None:
    state = start(api)
    assert call_back(api, state).status_code == 201
    assert refusal(call_back(api, state)) == INVALID_STATE
    assert len(chirp.token_requests("authorization_code")) == 1


def test_an_expired_state_is_refused(
    api: APIClient, chirp: Chirp, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = start(api)
    monkeypatch.setattr("connections_project.connections.flow.states.consume", lambda _: None)
    assert refusal(call_back(api, state)) == INVALID_STATE


def test_a_state_of_another_app_is_refused(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    bank = Bank(chirp.server)
    use_catalogue(chirp.catalogue() + bank.catalogue(), "chirp", "bank")
    assert refusal(call_back(api, providers.start(api))) == INVALID_STATE
    assert providers.call_back(api, start(api)).status_code == 400
    assert untouched(chirp)


@pytest.mark.parametrize("query", [{}, {"code": ""}])
def test_a_declined_consent_leaves_only_an_event(
    api: APIClient, chirp: Chirp, query: dict[str, str]
) -> None:
    state = start(api)
    answer = call_back(api, state, error="access_denied", **query)
    assert refusal(answer) == (400, "AUTHORIZATION_DECLINED")
    assert untouched(chirp)
    assert refusal(call_back(api, state)) == INVALID_STATE
    (event,) = events("CHANNEL_CONNECTION_FAILED")
    assert event.details == {"platform": "chirp", "error": "authorization_declined"}


def test_another_issuer_is_refused_unsent(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(more=f'issuer = "{ISSUER}"'), "chirp")
    assert wrong_fields(call_back(api, start(api), iss="https://elsewhere.example.com")) == ["iss"]
    assert untouched(chirp)
    assert call_back(api, start(api), iss=ISSUER).status_code == 201


def test_a_suspension_meanwhile_consumes_the_state(api: APIClient, chirp: Chirp) -> None:
    state = start(api)
    call_command("suspend_platform", "chirp", reason="breach")
    assert refusal(call_back(api, state)) == (503, "CHANNEL_UNAVAILABLE")
    call_command("resume_platform", "chirp")
    assert refusal(call_back(api, state)) == INVALID_STATE
    assert untouched(chirp)


def test_a_removed_channel_is_not_found(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    state = start(api)
    use_catalogue("", "chirp")
    assert refusal(call_back(api, state)) == (404, "CHANNEL_NOT_FOUND")


def test_a_principal_deactivated_meanwhile_is_refused(
    api: APIClient, anonymous: APIClient, chirp: Chirp, owner: User
) -> None:
    state = start(api)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert refusal(call_back(anonymous, state)) == INVALID_STATE
    assert untouched(chirp)


def test_without_a_cache_the_state_is_kept(
    api: APIClient, chirp: Chirp, settings: LazySettings
) -> None:
    state, caches = start(api), settings.CACHES
    settings.CACHES = {**caches, "default": NO_REDIS}
    assert refusal(call_back(api, state)) == (503, "SERVICE_UNAVAILABLE")
    settings.CACHES = caches
    assert call_back(api, state).status_code == 201


FAILURES = {
    "refused": Answer(400, json={"error": "invalid_grant"}),
    "misconfigured": Answer(401, json={"error": "invalid_client"}),
    "down": Answer(503),
    "malformed": Answer(200, body=b"<html>"),
    "without a token": Answer(200, json={"token_type": "Bearer"}),
    "broken off": Answer(reset=True),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_exchange_leaves_an_event_and_no_row(
    api: APIClient, chirp: Chirp, failure: str
) -> None:
    chirp.server.on("POST", "/token", FAILURES[failure])
    assert refusal(call_back(api, start(api))) == (502, "OAUTH_FAILED")
    assert not ChannelConnection.objects.exists()
    assert not RevocationJob.objects.exists()
    (event,) = events("CHANNEL_CONNECTION_FAILED")
    assert event.outcome == "failure"
    assert event.details["error"]


@pytest.mark.parametrize("identity", [Answer(500), Answer(200, json={"name": "Ada"})])
def test_tokens_without_an_identity_are_revoked(
    api: APIClient,
    chirp: Chirp,
    identity: Answer,
    django_capture_on_commit_callbacks: Any,
) -> None:
    chirp.server.on("GET", "/me", identity)
    with django_capture_on_commit_callbacks(execute=True):
        assert refusal(call_back(api, start(api))) == (502, "OAUTH_FAILED")
    assert chirp.revoked == ["refresh-1", "access-1"]
    assert not ChannelConnection.objects.exists()
    (failed,), (revoked,) = events("CHANNEL_CONNECTION_FAILED"), events("token_revoked")
    assert failed.details["revocation"] == "pending"
    # One name for what never became a row, so that the two can be seen to belong together.
    assert failed.subject_id == revoked.subject_id


def test_a_channel_without_identities_connects(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    anonymous_entry = chirp.catalogue().replace("identity_endpoint", "issuer")
    use_catalogue(anonymous_entry, "chirp")
    shown = [call_back(api, start(api)).json() for _ in range(2)]
    assert [each["account_id"] for each in shown] == [None, None]
    assert [each["account_name"] for each in shown] == [None, None]
    assert ChannelConnection.objects.count() == 2
