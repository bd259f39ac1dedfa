"""A Discord user connects several channels, each of which keeps the webhook of its own consent."""

from dataclasses import replace

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from connections_project.revocation.models import RevocationJob
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.discord import RECORDING
from tests.platforms.recorded.platform import RecordedPlatform
from tests.support.channel_publishing import tried
from tests.support.channel_scheduling import schedule
from tests.support.chirp import call_back
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db(transaction=True)

# As numbers here and without the address, where the webhook's object is not whole.
WEBHOOK = {"id": 347114, "token": "hook-N", "channel_id": "channel-N", "guild_id": "290"}
HOOKS = [f"/api/webhooks/347114/hook-{number}" for number in (1, 2)]


@pytest.fixture
def platform(serve_recording: ServeRecording) -> RecordedPlatform:
    platform = serve_recording(replace(RECORDING, tokens={**RECORDING.tokens, "webhook": WEBHOOK}))
    for path in HOOKS:
        platform.server.on("POST", path, Answer(json={"id": "13", "channel_id": "345"}))
        platform.server.on("DELETE", path, Answer(204))
    return platform


@pytest.fixture
def rows(api: APIClient, platform: RecordedPlatform) -> list[ChannelConnection]:
    return [platform.connect(api), platform.connect(api)]


def asked(platform: RecordedPlatform) -> list[list[str]]:
    return [[one.method for one in platform.server.requests_to(path)] for path in HOOKS]


def test_each_channel_is_a_connection(rows: list[ChannelConnection]) -> None:
    assert [row.platform_account_id for row in rows] == ["channel-1", "channel-2"]
    assert {(row.granting_user_id, row.platform_account_name) for row in rows} == {
        (RECORDING.account_id, RECORDING.account_name)
    }


def test_each_is_published_to_by_its_own(
    api: APIClient, platform: RecordedPlatform, rows: list[ChannelConnection]
) -> None:
    for number, row in enumerate(rows, start=1):
        assert schedule(api, row.pk).status_code == 201
        Schedule.objects.update(due_at=row.created_at)
        tried()
        assert [len(found) for found in asked(platform)] == [1, number - 1]
    assert {one.status for one in Schedule.objects.all()} == {"published"}


def test_the_same_channel_is_connected_once(
    api: APIClient, platform: RecordedPlatform, rows: list[ChannelConnection]
) -> None:
    platform.issued = 0
    answer = call_back(api, platform._client.begin(api, "discord")["state"])
    assert platform._client.id_of_repeated(answer) == str(rows[0].pk)
    # The same webhook came again, and is in use.
    assert asked(platform) == [[], []]
    assert not RevocationJob.objects.exists()


def test_the_last_one_ends_the_grant(
    api: APIClient, platform: RecordedPlatform, rows: list[ChannelConnection]
) -> None:
    platform.end(api, rows[0])
    assert platform.revocations == []
    assert asked(platform) == [["DELETE"], []]
    platform.end(api, rows[1])
    assert platform.revocations != []
    assert asked(platform) == [["DELETE"], ["DELETE"]]
    jobs = RevocationJob.objects.order_by("id")
    assert [(one.extras_only, one.state) for one in jobs] == [(True, "revoked"), (False, "revoked")]


@pytest.mark.parametrize("channel_id", ["1" * 256, "1\x00", "1\ud800"])
def test_an_id_that_can_be_none_is_refused_and_the_grant_ended(
    api: APIClient, serve_recording: ServeRecording, channel_id: str
) -> None:
    odd = {**WEBHOOK, "channel_id": channel_id}
    platform = serve_recording(replace(RECORDING, tokens={**RECORDING.tokens, "webhook": odd}))
    platform.server.on("DELETE", HOOKS[0], Answer(204))
    answer = call_back(api, platform._client.begin(api, "discord")["state"])
    assert answer.status_code == 502
    assert not ChannelConnection.objects.exists()
    assert RevocationJob.objects.get().state == "revoked"
