"""Pictures are fetched for channels that want the bytes (docs/api.md, "Publishing")."""

from typing import Any

import pytest
from django.conf import LazySettings

from channels.models import ChannelConnection, Schedule
from connections_project.platforms.pictures import AT_ONCE
from tests.platforms.recorded.posts.posting import PICTURE
from tests.support.channel_publishing import (
    MASTODON,
    X,
    due_schedule,
    history_of,
    outcome_of,
    posts,
    published,
)
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer, PlatformServer

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "/2/media/upload"
LARGEST = 5 * 1024 * 1024


@pytest.fixture
def pictures(picture_server: PlatformServer, like_x: Chirp) -> PlatformServer:
    picture_server.on("GET", "/cat.png", Answer(body=PICTURE))
    like_x.server.on("POST", UPLOAD, Answer(json={"data": {"id": "7"}}))
    return picture_server


def elsewhere(location: str) -> Answer:
    return Answer(302, headers={"Location": location})


def test_a_picture_without_words_is_published(
    row: ChannelConnection, pictures: PlatformServer, like_x: Chirp
) -> None:
    due_schedule(row, image_url=f"{pictures.url}/cat.png")
    assert published() == ["published"]
    assert [one.path for one in like_x.server.requests] == [UPLOAD, X]
    (asked,) = pictures.requests
    assert asked.headers["Authorization"] is None
    assert asked.headers["Cookie"] is None


def test_one_that_may_not_be_described_is_published(
    row: ChannelConnection, pictures: PlatformServer, like_x: Chirp
) -> None:
    like_x.server.on("POST", "/2/media/metadata", Answer(403, json={"title": "Forbidden"}))
    due_schedule(row, image_url=f"{pictures.url}/cat.png", options={"alt_text": "A cat"})
    assert published() == ["published"]


def test_a_redirect_at_the_same_host_is_followed(
    row: ChannelConnection, pictures: PlatformServer
) -> None:
    pictures.on("GET", "/old.png", elsewhere("/cat.png"))
    due_schedule(row, image_url=f"{pictures.url}/old.png")
    assert published() == ["published"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404),
        Answer(500),
        elsewhere("https://169.254.169.254/latest/meta-data/"),
        elsewhere("http://127.0.0.1/cat.png"),
        elsewhere("/cat.jpg"),
        elsewhere("https://[::1/cat.png"),
        Answer(body=b"<html>No such picture</html>", headers={"Content-Type": "image/png"}),
        Answer(body=b"GIF89a" + PICTURE),
        Answer(body=b""),
        Answer(body=PICTURE, cut_after=100),
        Answer(body=PICTURE[:8] + bytes(LARGEST)),
        Answer(body=PICTURE, delay=3),
        Answer(reset=True),
    ],
)
def test_what_can_not_be_fetched_has_failed(
    row: ChannelConnection,
    pictures: PlatformServer,
    like_x: Chirp,
    settings: LazySettings,
    answer: Answer,
) -> None:
    settings.PUBLISH_LEASE_SECONDS = 1
    pictures.on("GET", "/cat.jpg", answer)
    made = due_schedule(row, image_url=f"{pictures.url}/cat.jpg")
    assert published() == ["failed"]
    assert outcome_of(made) == ("failed", "image_unavailable")
    assert history_of(made) == [("failed", "image_unavailable")]
    assert like_x.server.requests == []


def test_only_global_addresses_are_connected_to(
    row: ChannelConnection, pictures: PlatformServer, settings: LazySettings
) -> None:
    settings.IMAGE_ALLOWED_NETWORKS = []
    port = pictures.url.rpartition(":")[2]
    hosts = (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "169.254.169.254")
    made = [due_schedule(row, image_url=f"https://{host}/cat.png") for host in hosts]
    assert published() == ["failed"] * len(hosts)
    assert {outcome_of(one)[1] for one in made} == {"image_unavailable"}
    assert pictures.connection_count == 0


@pytest.mark.parametrize("answer", [Answer(500), Answer(502, body=b"<html>"), Answer(reset=True)])
def test_before_the_post_itself_all_may_be_tried_again(
    row: ChannelConnection, pictures: PlatformServer, like_x: Chirp, answer: Answer
) -> None:
    like_x.server.on("POST", UPLOAD, answer)
    made = due_schedule(row, image_url=f"{pictures.url}/cat.png")
    assert published() == ["pending"]
    assert posts(like_x) == []
    made.refresh_from_db()
    assert made.unsure_since is None


def test_a_picture_that_is_never_ready_is_put_off(
    row: ChannelConnection,
    picture_server: PlatformServer,
    like_mastodon: Chirp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels.attempt.SEND_SECONDS", -14.0)
    monkeypatch.setattr("channels.adapters.mastodon.POLL_SECONDS", 0.1)
    picture_server.on("GET", "/cat.png", Answer(body=PICTURE))
    media: dict[str, Any] = {"id": "7", "url": None}
    like_mastodon.server.on("POST", "/api/v2/media", Answer(202, json=media))
    like_mastodon.server.on("GET", "/api/v1/media/7", Answer(206, json=media))
    made = due_schedule(row, image_url=f"{picture_server.url}/cat.png")
    assert published() == ["pending"]
    assert history_of(made) == [("failed", "timeout")]
    assert posts(like_mastodon, MASTODON) == []


def test_slow_pictures_leave_threads_to_others(
    row: ChannelConnection, pictures: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections_project.platforms.pictures.PATIENCE_SECONDS", 0.05)
    pictures.on("GET", "/cat.png", Answer(body=PICTURE, delay=0.5))
    made = [due_schedule(row, image_url=f"{pictures.url}/cat.png") for _ in range(AT_ONCE + 2)]
    text = due_schedule(row)
    assert published() == ["published"] * (AT_ONCE + 1)
    assert outcome_of(text) == ("published", None)
    waiting = Schedule.objects.filter(status="pending")
    assert waiting.count() == 2
    assert {(one.attempts, one.due_at > one.updated_at) for one in waiting} == {(0, True)}
    assert not any(history_of(one) for one in made if one in waiting)


def test_nobody_fetches_for_a_channel_that_is_over(
    row: ChannelConnection, pictures: PlatformServer
) -> None:
    ChannelConnection.objects.update(status="error")
    made = due_schedule(row, image_url=f"{pictures.url}/cat.png")
    assert published() == ["failed"]
    assert outcome_of(made) == ("failed", "connection_inactive")
    assert pictures.requests == []
