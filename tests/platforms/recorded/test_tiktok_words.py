"""TikTok says what went wrong by a word; the status may be one of success all the same."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.platform import RecordedPlatform
from tests.platforms.recorded.posts.posting import PICTURE_URL
from tests.platforms.recorded.posts.tiktok import INIT
from tests.platforms.recorded.tiktok import RECORDING
from tests.support.channel_publishing import tried
from tests.support.channel_scheduling import schedule
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform(serve_recording: ServeRecording) -> RecordedPlatform:
    return serve_recording(RECORDING)


@pytest.mark.parametrize(
    ("word", "becomes", "connection"),
    [
        ("rate_limit_exceeded", ("pending", None), "connected"),
        # Nobody knows how far it came.
        ("internal_error", ("failed", "outcome_unknown"), "connected"),
        ("url_ownership_unverified", ("failed", "refused"), "connected"),
        ("access_token_invalid", ("failed", "connection_inactive"), "expired"),
    ],
)
def test_a_word_counts_whatever_the_status(
    api: APIClient, platform: RecordedPlatform, word: str, becomes: Any, connection: str
) -> None:
    row = platform.connect(api)
    platform.server.on("POST", INIT, Answer(json={"data": {}, "error": {"code": word}}))
    assert schedule(api, row.pk, image_url=PICTURE_URL).status_code == 201
    Schedule.objects.update(due_at=row.created_at)
    tried()
    made = Schedule.objects.get()
    assert (made.status, made.failure_reason or None) == becomes
    assert ChannelConnection.objects.get().status == connection
