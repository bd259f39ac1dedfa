"""`/api/v1/webhooks/x`: X reports a user who took access back, and challenges us."""

import json
import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection
from tests.support.webhook_signing import iso, x_event, x_signature
from tests.webhooks.conftest import PERSON, is_live

pytestmark = pytest.mark.django_db
PATH = "/api/v1/webhooks/x"
CONSUMER_SECRET = "consumer secret"


@pytest.fixture(autouse=True)
def _x(sent_by: Any) -> None:
    sent_by("x", key=CONSUMER_SECRET)


def send(anonymous: APIClient, body: bytes, signature: str | None = None) -> Any:
    signed = x_signature(body, CONSUMER_SECRET) if signature is None else signature
    headers = {"x-twitter-webhooks-signature": signed}
    return anonymous.post(PATH, body, content_type="application/json", headers=headers)


def elder_event(user_id: str) -> bytes:
    source, target = {"user_id": user_id}, {"app_id": "13090192"}
    revoke = {"date_time": iso(time.time()), "target": target, "source": source}
    return json.dumps({"user_event": {"revoke": revoke}}).encode()


@pytest.mark.parametrize("event", [lambda: x_event(), lambda: elder_event(PERSON)])
def test_the_users_connections_end(
    anonymous: APIClient, rows: dict[str, OAuthConnection], event: Any
) -> None:
    answer = send(anonymous, event())
    assert (answer.status_code, answer.json()) == (200, {})
    assert not any(is_live(row) for row in rows.values())


def test_other_events_end_nothing(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    others: list[Any] = [
        {"data": {"event_type": "post.create", "payload": {"user_id": PERSON}}},
        {"data": None},
        {"user_event": {"revoke": None}},
        {"for_user_id": PERSON, "tweet_create_events": []},
    ]
    for event in (*map(json.dumps, others), x_event(user_id="1").decode()):
        assert send(anonymous, event.encode()).status_code == 200
    assert all(is_live(row) for row in rows.values())


def test_a_forged_one_is_refused(anonymous: APIClient, rows: dict[str, OAuthConnection]) -> None:
    body = x_event()
    for signature in ("", "sha256=", x_signature(b"{}", CONSUMER_SECRET), x_signature(body)):
        assert send(anonymous, body, signature).status_code == 400
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_signed_and_malformed_is_refused(anonymous: APIClient, body: bytes) -> None:
    assert send(anonymous, body).status_code == 400


def test_a_challenge_is_answered(anonymous: APIClient) -> None:
    answer = anonymous.get(PATH, {"crc_token": "OWM1Zjk4-challenge"})
    expected = x_signature(b"OWM1Zjk4-challenge", CONSUMER_SECRET)
    assert (answer.status_code, answer.json()) == (200, {"response_token": expected})


def test_no_body_is_signed_as_a_challenge(anonymous: APIClient) -> None:
    for token in ("", x_event().decode(), "x" * 257):
        assert anonymous.get(PATH, {"crc_token": token}).status_code == 400


def test_without_a_key_there_is_no_answer(anonymous: APIClient, sent_by: Any) -> None:
    sent_by("tiktok")
    assert anonymous.get(PATH, {"crc_token": "a"}).status_code == 400
    assert send(anonymous, x_event()).status_code == 400
