"""`POST /api/v1/webhooks/discord`: Discord reports a user who took access back."""

import json
import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection
from tests.support.webhook_signing import DISCORD_KEY, discord_event, discord_signature
from tests.webhooks.conftest import is_live

pytestmark = pytest.mark.django_db
PATH = "/api/v1/webhooks/discord"
PUBLIC_KEY = DISCORD_KEY.public_key().public_bytes_raw().hex()


@pytest.fixture(autouse=True)
def _discord(sent_by: Any) -> None:
    sent_by("discord", key=PUBLIC_KEY)


def send(anonymous: APIClient, body: bytes, headers: dict[str, str] | None = None) -> Any:
    signed = discord_signature(body) if headers is None else headers
    return anonymous.post(PATH, body, content_type="application/json", headers=signed)


def test_the_users_connections_end(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    answer = send(anonymous, discord_event())
    assert (answer.status_code, answer.content) == (204, b"")
    assert not any(is_live(row) for row in rows.values())


def test_a_ping_and_other_events_end_nothing(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    ping = json.dumps({"version": 1, "application_id": "1", "type": 0}).encode()
    for body in (ping, ping, discord_event(kind="APPLICATION_AUTHORIZED")):
        assert send(anonymous, body).status_code == 204
    assert all(is_live(row) for row in rows.values())


def test_a_forged_one_is_refused(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    body = discord_event()
    genuine = discord_signature(body)
    forged: tuple[dict[str, str], ...] = (
        {},
        {**genuine, "X-Signature-Ed25519": "00" * 64},
        {**genuine, "X-Signature-Ed25519": "no signature"},
        {**genuine, "X-Signature-Timestamp": str(int(time.time()) + 1)},
        discord_signature(b"{}"),
    )
    for headers in forged:
        assert send(anonymous, body, headers).status_code == 401
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000])
def test_what_is_signed_and_malformed_is_refused(anonymous: APIClient, body: bytes) -> None:
    assert send(anonymous, body).status_code == 400


def test_a_stale_one_is_refused(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    week_ago = time.time() - 8 * 86400
    for body, headers in (
        (discord_event(), discord_signature(discord_event(), at=week_ago)),
        (discord_event(at=week_ago), None),
    ):
        assert send(anonymous, body, headers).status_code in {400, 401}
    assert all(is_live(row) for row in rows.values())


def test_without_its_key_all_are_refused(anonymous: APIClient, sent_by: Any) -> None:
    sent_by("discord")
    assert send(anonymous, discord_event()).status_code == 401
