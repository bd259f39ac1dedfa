"""`POST /channels/connections/{id}/refresh` (docs/api.md, "Refreshing tokens")."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.management import call_command
from rest_framework.test import APIClient

from channels.disconnect import disconnect_own
from channels.models import ChannelConnection
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import TokenSet
from tests.conftest import SignIn, UseCatalogue
from tests.support.channel_disconnects import CONNECTIONS
from tests.support.channel_errors import refusal, wrong_fields
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer
from tests.support.provider_rows import events

INVALID_GRANT = Answer(400, json={"error": "invalid_grant"})


def refresh(api: APIClient, row: ChannelConnection, **body: Any) -> Any:
    return api.post(f"{CONNECTIONS}/{row.pk}/refresh", body, format="json")


def test_forced_it_stores_new_tokens_and_answers(
    api: APIClient, row: ChannelConnection, chirp: Chirp
) -> None:
    answer = refresh(api, row, force=True)
    assert (answer.status_code, answer.json()["status"]) == (200, "connected")
    assert answer.json()["id"] == str(row.pk)
    row.refresh_from_db()
    assert row.opened() == TokenSet("access-1", "refresh-1")
    assert len(events("CHANNEL_TOKEN_REFRESHED")) == 1


def test_unforced_a_good_token_is_left_alone(
    api: APIClient, row: ChannelConnection, chirp: Chirp
) -> None:
    assert refresh(api, row).status_code == 200
    assert api.post(f"{CONNECTIONS}/{row.pk}/refresh").status_code == 200
    assert chirp.server.requests == []


def test_without_refresh_token_only_force_is_refused(
    api: APIClient, owner: User, chirp: Chirp
) -> None:
    row = channel_of(owner, tokens=TokenSet("access-0"))
    assert refresh(api, row).status_code == 200
    assert refusal(refresh(api, row, force=True)) == (403, "NO_REFRESH_TOKEN")


def test_an_omitted_refresh_token_keeps_the_stored(
    api: APIClient, row: ChannelConnection, chirp: Chirp
) -> None:
    chirp.server.on("POST", "/token", lambda _: chirp.tokens(refresh_token=None))
    assert refresh(api, row, force=True).status_code == 200
    row.refresh_from_db()
    assert row.opened() == TokenSet("access-1", "refresh-0")


@pytest.mark.parametrize(("becomes", "status"), [("expired", "expired"), ("revoked", "error")])
def test_a_dead_grant_is_a_502_shown_in_the_status(
    api: APIClient,
    row: ChannelConnection,
    chirp: Chirp,
    use_catalogue: UseCatalogue,
    becomes: str,
    status: str,
) -> None:
    matcher = f'dead_grant = [{{ error = "invalid_grant", becomes = "{becomes}" }}]'
    use_catalogue(chirp.catalogue(more=matcher), "chirp")
    chirp.server.on("POST", "/token", INVALID_GRANT)
    assert refusal(refresh(api, row, force=True)) == (502, "REFRESH_FAILED")
    row.refresh_from_db()
    # The access token may live on, so the disconnect has something to revoke.
    assert (row.status, row.opened().access_token) == (status, "access-0")
    assert len(events("CHANNEL_TOKEN_REFRESH_FAILED")) == 1


@pytest.mark.parametrize("fault", [Answer(500), Answer(429), Answer(503), Answer(body=b"<")])
def test_a_passing_fault_is_a_502_and_no_dead_grant(
    api: APIClient, row: ChannelConnection, chirp: Chirp, fault: Answer
) -> None:
    chirp.server.on("POST", "/token", fault)
    assert refusal(refresh(api, row, force=True)) == (502, "REFRESH_FAILED")
    row.refresh_from_db()
    assert row.status == "connected"


def test_an_expired_one_may_try_once_more(api: APIClient, owner: User, chirp: Chirp) -> None:
    row = channel_of(owner, status="expired")
    assert refresh(api, row).json()["status"] == "connected"


@pytest.mark.parametrize("status", ["error", "disconnected"])
@pytest.mark.parametrize("force", [False, True])
def test_other_statuses_are_inactive(
    api: APIClient, owner: User, chirp: Chirp, status: str, force: bool
) -> None:
    row = channel_of(owner, status=status)
    assert refusal(refresh(api, row, force=force)) == (403, "CONNECTION_INACTIVE")
    assert chirp.server.requests == []


@pytest.mark.django_db(transaction=True)
def test_a_disconnect_meanwhile_wins_over_late_tokens(
    api: APIClient, owner: User, chirp: Chirp
) -> None:
    row = channel_of(owner)

    def disconnected_meanwhile(_: Any) -> Answer:
        origin = command_origin(None)
        disconnect_own(connection_id=row.pk, user=owner, origin=origin)
        return chirp.tokens()

    chirp.server.on("POST", "/token", disconnected_meanwhile)
    assert refusal(refresh(api, row, force=True)) == (403, "CONNECTION_INACTIVE")
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    assert chirp.revoked == ["refresh-0", "access-0", "refresh-1", "access-1"]


def test_a_suspended_channel_is_unavailable(api: APIClient, row: ChannelConnection) -> None:
    call_command("suspend_platform", "chirp", reason="breach")
    assert refusal(refresh(api, row, force=True)) == (503, "CHANNEL_UNAVAILABLE")


def test_unreadable_credentials_are_an_own_fault(
    api: APIClient, row: ChannelConnection, settings: LazySettings
) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert refusal(refresh(api, row, force=True)) == (503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize("force", ["yes", 1, None, []])
def test_a_bad_flag_is_named(api: APIClient, row: ChannelConnection, force: object) -> None:
    assert wrong_fields(refresh(api, row, force=force)) == ["force"]


def test_whose_it_is(
    api: APIClient, row: ChannelConnection, service_account: User, sign_in: SignIn
) -> None:
    url = f"{CONNECTIONS}/{{}}/refresh"
    assert refusal(api.post(url.format("x"))) == (400, "INVALID_CONNECTION_ID")
    assert refusal(api.post(url.format(uuid7()))) == (404, "CONNECTION_NOT_FOUND")
    denied = (403, "CONNECTION_ACCESS_DENIED")
    assert refusal(sign_in(service_account).post(url.format(row.pk))) == denied
