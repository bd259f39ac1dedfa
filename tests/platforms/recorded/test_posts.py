"""At each recorded channel posts are scheduled and published by the real service.

A channel without a cell has no such posts; docs/platforms.md says so too.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.catalog import catalog
from connections_project.platforms.post_rules import Publishing
from tests.platforms.recorded.overlays import SHIPPED, moved_table
from tests.platforms.recorded.posts import discord
from tests.platforms.recorded.posts.posting import PICTURE, Case, Posting, Script
from tests.platforms.recorded.posts.postings import POSTINGS
from tests.support.app_clients import APP_CLIENTS, connect
from tests.support.bank import REDIRECT_URI
from tests.support.channel_publishing import tried
from tests.support.channel_scheduling import SCHEDULES, schedule
from tests.support.platform_server import Answer, PlatformServer, Request

pytestmark = pytest.mark.django_db

CASES = {
    f"{slug} {kind}": (posting, case)
    for slug, posting in POSTINGS.items()
    for kind in ("text", "picture")
    if (case := getattr(posting, kind))
}
TOKENS = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 7200}


@dataclass
class RecordedChannel:
    """A recorded channel on loopback, and what is to be published there."""

    posting: Posting
    case: Case
    server: PlatformServer

    def open(self) -> None:
        shipped = SHIPPED[self.posting.slug]
        tokens = Answer(json={**TOKENS, "token_type": "Bearer", **self.posting.tokens})
        self.server.on("POST", urlsplit(shipped.token_endpoint).path, tokens)
        identity = Answer(json=dict(self.posting.identity))
        self.server.on("GET", urlsplit(shipped.identity_endpoint).path, _for_us(identity))
        for (method, path), scripts in self.case.routes.items():
            is_public = path in self.case.public
            self.server.on(method, path, *(one if is_public else _for_us(one) for one in scripts))

    @property
    def sent(self) -> list[Request]:
        paths = {path for _, path in self.case.routes}
        return [one for one in self.server.requests if one.path in paths]


def _for_us(script: Script) -> Callable[[Request], Answer]:
    """Let nobody in without our token."""

    def answer(request: Request) -> Answer:
        if request.headers["Authorization"] != "Bearer access-1":
            return Answer(401, json={"error": "who are you?"})
        return script(request) if callable(script) else script

    return answer


@pytest.fixture(params=CASES)
def recorded(
    request: pytest.FixtureRequest,
    server: PlatformServer,
    settings: LazySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> RecordedChannel:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    for slug in ("tiktok", "mastodon"):
        monkeypatch.setattr(f"channels.adapters.{slug}.POLL_SECONDS", 0.01)
    made = RecordedChannel(*CASES[request.param], server)
    path = tmp_path / "overlay.toml"
    path.write_text(moved_table(SHIPPED[made.posting.slug], server.url), encoding="utf-8")
    settings.CATALOG_FILES = (path,)
    client = asdict(ClientRegistration("our client", "s3cret", (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {one.slug: client for one in catalog().all()}
    made.open()
    return made


@pytest.fixture(autouse=True)
def _that_day() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-28T12:00:00Z") as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _pictures(picture_server: PlatformServer) -> None:
    picture_server.on("GET", "/cat.png", Answer(body=PICTURE))


@pytest.fixture
def row(api: APIClient, recorded: RecordedChannel) -> ChannelConnection:
    found: ChannelConnection = connect(api, APP_CLIENTS["channels"], recorded.posting.slug)
    return found


@pytest.fixture
def wanted(recorded: RecordedChannel, picture_server: PlatformServer) -> dict[str, Any]:
    """What is asked for; a picture whose bytes are wanted is at a server of its own."""
    rule = publishing_of(recorded.posting.slug).image
    here = {"image_url": f"{picture_server.url}/cat.png"}
    is_fetched = rule is not None and rule.is_uploaded and "image_url" in recorded.case.wanted
    return {**recorded.case.wanted, **(here if is_fetched else {})}


def publishing_of(slug: str) -> Publishing:
    found = adapter_of(SHIPPED[slug]).publishing
    assert found is not None
    return found


def publish(api: APIClient, row: ChannelConnection, wanted: dict[str, Any]) -> dict[str, Any]:
    """Schedule a post, publish it when its time has come, and give what became of it."""
    answer = schedule(api, row.pk, **wanted)
    assert answer.status_code == 201, answer.content
    made = Schedule.objects.get(pk=answer.json()["id"])
    Schedule.objects.update(due_at=made.created_at - timedelta(seconds=1))
    tried()
    result: dict[str, Any] = api.get(f"{SCHEDULES}/{made.pk}").json()
    return result


def event_of(api: APIClient, row: ChannelConnection) -> dict[str, Any]:
    (event,) = api.get(f"/api/v1/channels/connections/{row.pk}/publish-events").json()["data"]
    found: dict[str, Any] = event
    return found


def test_a_post_is_published(
    api: APIClient, recorded: RecordedChannel, row: ChannelConnection, wanted: dict[str, Any]
) -> None:
    made = publish(api, row, wanted)
    assert (made["status"], made["failure_reason"]) == ("published", None), recorded.sent
    event = event_of(api, row)
    published = (event["platform_post_id"], event["post_url"])
    assert published == (recorded.case.post_id, recorded.case.post_url)
    asked = {(one.method, one.path) for one in recorded.sent}
    assert asked == set(recorded.case.routes)


def test_a_refused_post_has_failed(
    api: APIClient, recorded: RecordedChannel, row: ChannelConnection, wanted: dict[str, Any]
) -> None:
    route, answer = recorded.posting.refused
    recorded.server.on(*route, answer)
    made = publish(api, row, wanted)
    assert (made["status"], made["failure_reason"]) == ("failed", "refused")
    assert len([one for one in recorded.sent if one.path == route[1]]) == 1
    row.refresh_from_db()
    assert row.status == "connected"


def test_a_busy_channel_is_asked_again(
    api: APIClient, recorded: RecordedChannel, row: ChannelConnection, wanted: dict[str, Any]
) -> None:
    route, _ = recorded.posting.refused
    recorded.server.on(*route, Answer(429, headers={"X-RateLimit-Reset": "2026-11-28T12:10:00Z"}))
    made = publish(api, row, wanted)
    assert made["status"] == "pending"
    due_at = Schedule.objects.get().due_at
    assert f"{due_at:%H:%M}" == "12:10"


def test_a_refresh_loses_nothing_that_publishing_needs(
    api: APIClient, recorded: RecordedChannel, row: ChannelConnection, wanted: dict[str, Any]
) -> None:
    path = urlsplit(SHIPPED[recorded.posting.slug].token_endpoint).path
    recorded.server.on("POST", path, Answer(json={**TOKENS, "token_type": "Bearer"}))
    ChannelConnection.objects.update(token_expires_at=timezone.now())
    assert publish(api, row, wanted)["status"] == "published"
    assert len(recorded.server.requests_to(path)) == 2


def test_nothing_of_the_tokens_is_shown(
    api: APIClient, recorded: RecordedChannel, row: ChannelConnection, wanted: dict[str, Any]
) -> None:
    made = publish(api, row, wanted)
    shown = f"{made} {event_of(api, row)} {row.__dict__}"
    for secret in ("access-1", "refresh-1", discord.WEBHOOK):
        assert secret not in shown
