"""`POST /api/v1/webhooks/tiktok`: TikTok reports an authorization that was removed."""

import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from tests.support.provider_rows import events
from tests.support.webhook_signing import tiktok_event, tiktok_signature
from tests.webhooks.conftest import connected, is_live

pytestmark = pytest.mark.django_db
PATH = "/api/v1/webhooks/tiktok"


@pytest.fixture(autouse=True)
def _tiktok(sent_by: Any) -> None:
    sent_by("tiktok")


def send(anonymous: APIClient, body: bytes, signature: str | None = None) -> Any:
    signed = tiktok_signature(body) if signature is None else signature
    return anonymous.post(
        PATH, body, content_type="application/json", headers={"TikTok-Signature": signed}
    )


def test_the_users_connections_end(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    assert send(anonymous, tiktok_event()).status_code == 200
    assert not any(is_live(row) for row in rows.values())
    assert len(events("connection_deauthorized")) == 3


def test_the_parts_of_the_signature_may_change_places(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    body = tiktok_event()
    sent_at, _, signature = tiktok_signature(body).partition(",")
    assert (
        send(anonymous, body, f"{signature.upper().replace('S=', 's=')}, {sent_at}").status_code
        == 200
    )
    assert not any(is_live(row) for row in rows.values())


def test_other_events_are_acknowledged(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    assert send(anonymous, tiktok_event(event="video.upload.failed")).status_code == 200
    assert all(is_live(row) for row in rows.values())


def test_an_unknown_user_is_acknowledged(anonymous: APIClient) -> None:
    assert send(anonymous, tiktok_event(user_openid="nobody")).status_code == 200
    assert send(anonymous, tiktok_event(user_openid=None)).status_code == 200


def test_a_repeated_one_with_a_new_time_is_skipped(anonymous: APIClient, owner: User) -> None:
    body = tiktok_event()
    send(anonymous, body)
    row = connected("channels", owner)

    again = send(anonymous, body, tiktok_signature(body, sent_at=int(time.time()) + 1))

    assert again.status_code == 200
    assert is_live(row)


def test_an_old_event_never_ends_a_newer_connection(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    assert send(anonymous, tiktok_event(create_time=int(time.time()) - 60)).status_code == 200
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize(
    "signature", ["", "t=1", "t=,s=", "s=00,t=1", "t=1,s=" + "0" * 64, "t=\u0661,s=" + "0" * 64]
)
def test_a_forged_signature_is_refused(
    anonymous: APIClient, rows: dict[str, OAuthConnection], signature: str
) -> None:
    assert send(anonymous, tiktok_event(), signature.encode().decode("latin-1")).status_code == 400
    assert all(is_live(row) for row in rows.values())


def test_another_bodys_signature_is_refused(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    signature = tiktok_signature(tiktok_event(user_openid="somebody else"))

    assert send(anonymous, tiktok_event(), signature).status_code == 400
    assert all(is_live(row) for row in rows.values())


def test_a_stale_one_is_refused(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    body = tiktok_event()
    eight_days_ago = int(time.time()) - 8 * 86400

    assert send(anonymous, body, tiktok_signature(body, sent_at=eight_days_ago)).status_code == 400
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"client_key": 1}', b"[" * 100_000])
def test_what_is_signed_and_malformed_is_refused(anonymous: APIClient, body: bytes) -> None:
    assert send(anonymous, body).status_code == 400


def test_an_event_for_another_client_is_refused(anonymous: APIClient) -> None:
    assert send(anonymous, tiktok_event(client_key="another app")).status_code == 400
