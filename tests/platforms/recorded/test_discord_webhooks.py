"""A webhook is its connection's own: it ends with the connection's tokens, not with the grant."""

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from channels.models import ChannelConnection
from connections_project.connections import unstored
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.oauth.client import TokenSet
from connections_project.platforms.registry import upstream
from connections_project.receipts.facts import facts
from connections_project.revocation.grants import add_holder, remove_holders
from connections_project.revocation.models import RevocationJob
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.discord import RECORDING
from tests.platforms.recorded.platform import RecordedPlatform, tried_again
from tests.support.chirp import call_back
from tests.support.platform_server import Answer
from tests.support.provider_rows import events

pytestmark = pytest.mark.django_db(transaction=True)

# Each consent brings another webhook to the same channel.
WEBHOOK = {"id": "347114", "token": "hook-N", "channel_id": "345", "guild_id": "290"}
HOOKS = [f"/api/webhooks/347114/hook-{number}" for number in (1, 2)]
PLATFORM = Origin(ActorType.PLATFORM, None, Interface.WEBHOOK)


@pytest.fixture
def platform(serve_recording: ServeRecording) -> RecordedPlatform:
    platform = serve_recording(replace(RECORDING, tokens={**RECORDING.tokens, "webhook": WEBHOOK}))
    for path in HOOKS:
        platform.server.on("DELETE", path, Answer(204))
    return platform


@pytest.fixture
def row(api: APIClient, platform: RecordedPlatform) -> ChannelConnection:
    row: ChannelConnection = platform.connect(api)
    return row


@pytest.fixture
def sibling(row: ChannelConnection) -> None:
    """Have another channel of the user stand on the grant."""
    add_holder(row.grant, app="channels", connection_id=row.user_id)


def deleted(platform: RecordedPlatform) -> list[int]:
    """Count for each webhook how often it was deleted."""
    return [len(platform.server.requests_to(path)) for path in HOOKS]


def connect_with(token: str, api: APIClient, platform: RecordedPlatform) -> Any:
    tokens = {**platform.recording.tokens, "access_token": token}
    platform.recording = replace(platform.recording, tokens=tokens)
    return platform.connect(api)


def connect_again(api: APIClient, platform: RecordedPlatform) -> Any:
    return call_back(api, platform._client.begin(api, "discord")["state"])


@pytest.mark.parametrize("token", ["access-N", "the same"])
def test_one_that_is_replaced_is_deleted(
    api: APIClient, platform: RecordedPlatform, token: str
) -> None:
    row = connect_with(token, api, platform)
    assert connect_again(api, platform).status_code == 409
    assert (deleted(platform), platform.revocations) == ([1, 0], [])
    row.refresh_from_db()
    assert row.opened().extras["webhook_token"] == "hook-2"
    platform.end(api, row)
    assert deleted(platform) == [1, 1]


@pytest.mark.parametrize("token", ["access-N", "the same"])
def test_one_of_a_dead_grant_is_deleted_when_the_account_comes_back(
    api: APIClient, platform: RecordedPlatform, token: str
) -> None:
    row = connect_with(token, api, platform)
    ChannelConnection.objects.update(status="error")
    remove_holders(row.pk)
    assert connect_again(api, platform).status_code == 201
    assert (deleted(platform), platform.revocations) == ([1, 0], [])
    assert ChannelConnection.objects.get(status="connected").opened().extras["webhook_token"] == (
        "hook-2"
    )


def test_one_that_comes_again_with_other_tokens_is_in_use(
    api: APIClient, platform: RecordedPlatform
) -> None:
    tokens = {**platform.recording.tokens, "webhook": {**WEBHOOK, "token": "hook"}}
    platform.recording = replace(platform.recording, tokens=tokens)
    row = platform.connect(api)
    ChannelConnection.objects.update(status="error")
    remove_holders(row.pk)
    assert connect_again(api, platform).status_code == 201
    assert not RevocationJob.objects.exists()


def test_it_is_tried_again_and_the_receipt_tells_of_the_grant(
    api: APIClient, platform: RecordedPlatform, row: ChannelConnection, sibling: None
) -> None:
    platform.server.on("DELETE", HOOKS[0], Answer(503))
    platform.end(api, row)
    row.refresh_from_db()
    assert RevocationJob.objects.get().state == "pending"
    assert facts(row).revocation.state == "shared_grant"
    platform.server.on("DELETE", HOOKS[0], Answer(404, json={"code": 10015}))
    assert tried_again() == ["revoked"]
    job = RevocationJob.objects.get()
    assert (job.state, job.sealed_tokens, job.verification) == ("revoked", None, "unverifiable")
    assert (facts(row).revocation.state, platform.revocations) == ("shared_grant", [])
    assert len(events("extras_revocation_failed")) == len(events("extras_revoked")) == 1
    assert not events("token_revoked")


def test_a_revocation_that_is_not_sent_any_more_deletes_it_all_the_same(
    api: APIClient, platform: RecordedPlatform, row: ChannelConnection
) -> None:
    method, path = platform.revokes_at
    platform.server.on(method, path, Answer(503))
    platform.end(api, row)
    assert deleted(platform) == [0, 0]
    add_holder(row.grant, app="channels", connection_id=row.user_id)
    assert tried_again() == ["shared_grant"]
    assert (deleted(platform), len(platform.revocations)) == ([1, 0], 1)


def test_one_that_came_with_what_is_not_stored_is_deleted(
    api: APIClient, platform: RecordedPlatform, row: ChannelConnection
) -> None:
    odd = {**platform.recording.tokens, "webhook": {**WEBHOOK, "channel_id": "1" * 256}}
    platform.recording = replace(platform.recording, tokens=odd)
    assert connect_again(api, platform).status_code == 502
    assert (deleted(platform), platform.revocations) == ([0, 1], [])
    row.refresh_from_db()
    assert row.status == "connected"


HOOK = f'"webhook": {json.dumps(WEBHOOK)}'.replace("-N", "-2")
BY_URL = '"webhook": {"id": "347114", "url": "https://discord.com/api/webhooks/347114/hook-2"'
TEMPLATES = {
    "access token of another type": '{"access_token": ["a", 1], "refresh_token": "r", HOOK}',
    "refresh token of another type": '{"access_token": "a", "refresh_token": 7654, HOOK}',
    "refresh token with an umlaut": '{"access_token": "a", "refresh_token": "\u00fc", HOOK}',
    "in a list": '[{"access_token": "a", "refresh_token": "r", HOOK}]',
    "in an object": '{"data": {"access_token": "a", HOOK}}',
    "with other JSON before": "{\"access_token\": 'a', HOOK}",
    "without tokens": "{HOOK}",
    "cut behind it": '{"access_token": "a", HOOK',
    "cut in its midst": '{"access_token": "a", BY_URL',
    "cut in a name": '{"access_token": "a", BY_URL, "name": "a, b: {c',
    "cut in an object": '{"access_token": "a", BY_URL, "user": {"id": "1", "na',
}
ODD_ANSWERS = {
    name: text.replace("HOOK", HOOK).replace("BY_URL", BY_URL) for name, text in TEMPLATES.items()
}
ODD_ANSWERS["in a string"] = json.dumps(ODD_ANSWERS["refresh token of another type"])


@pytest.mark.parametrize("others", [True, False], ids=["beside another", "alone"])
@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_one_beside_tokens_that_can_not_be_used_is_deleted(
    api: APIClient, platform: RecordedPlatform, name: str, others: bool
) -> None:
    if others:
        platform.connect(api)
    odd = Answer(body=ODD_ANSWERS[name].encode("latin-1"))
    platform.server.on("POST", platform.token_path, odd)
    assert connect_again(api, platform).status_code == 502
    assert deleted(platform) == [0, 1]
    is_told = not others and name not in {"without tokens", "with other JSON before"}
    assert bool(platform.revocations) == is_told


@pytest.mark.parametrize("name", ["cut in a name", "in an object"])
def test_one_in_an_answer_that_breaks_off_or_is_packed_is_deleted(
    api: APIClient, platform: RecordedPlatform, name: str
) -> None:
    body = ODD_ANSWERS[name].encode()
    broken = Answer(body=body, headers={"Content-Length": "5000"}, cut_after=len(body))
    for odd in (broken, Answer(body=gzip.compress(body))):
        platform.server.on("POST", platform.token_path, odd)
        assert connect_again(api, platform).status_code == 502
    assert deleted(platform) == [0, 2]


def test_one_that_a_failing_database_forgets_is_deleted(
    platform: RecordedPlatform, row: ChannelConnection
) -> None:
    found = upstream("discord")
    assert found is not None
    extras = {"webhook_id": "347114", "webhook_token": "hook-1"}
    came = TokenSet("access-1", "refresh-1", extras=extras)
    with pytest.raises(DatabaseError):
        unstored.store_or_revoke(refuse, upstream=found, row=row, grant=row.grant, tokens=[came])
    assert (deleted(platform), platform.revocations) == ([1, 0], [])


def refuse() -> None:
    raise DatabaseError


def test_one_outlives_no_notice_that_the_grant_is_over(
    platform: RecordedPlatform, row: ChannelConnection
) -> None:
    with transaction.atomic():
        mark_deauthorized([row], origin=PLATFORM, sender="discord")
    assert (deleted(platform), platform.revocations) == ([1, 0], [])


def test_a_refresh_leaves_it(
    api: APIClient, platform: RecordedPlatform, row: ChannelConnection
) -> None:
    assert platform.refresh(api, row)
    row.refresh_from_db()
    assert row.opened().access_token == "access-2"
    assert deleted(platform) == [0, 0]
