"""A channel at a real server: it rotates tokens, knows repeated posts, forgets what is revoked."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from tests.conf.conftest import load
from tests.support.channel_publishing import (
    due_schedule,
    history_of,
    make_due,
    outcome_of,
    published,
)
from tests.support.sandbox_server import SandboxHandle, authorize, introspect, running_sandbox

pytestmark = pytest.mark.django_db(transaction=True)

REDIRECT_URI = "https://connections.example.com/oauth/callback/sandbox_social"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder, redirect_uris=[REDIRECT_URI]) as handle:
        yield handle


@pytest.fixture(autouse=True)
def start(sandbox: SandboxHandle, settings: LazySettings) -> None:
    """Take the platforms from a start with nothing but that table and those variables."""
    started = load(
        OAUTH_CATALOG=str(sandbox.catalogue_path),
        OAUTH_SANDBOX_SOCIAL_CLIENT_ID=sandbox.client_id,
        OAUTH_SANDBOX_SOCIAL_CLIENT_SECRET=sandbox.client_secret,
    )
    settings.CATALOG_FILES = started["CATALOG_FILES"]
    settings.OAUTH_CLIENTS, settings.PUBLIC_URL = started["OAUTH_CLIENTS"], started["PUBLIC_URL"]


@pytest.fixture
def row(api: APIClient, sandbox: SandboxHandle) -> ChannelConnection:
    """Walk sign-in and consent as a browser, and call back with all that came."""
    body = {"channel": "sandbox_social"}
    begun = api.post("/api/v1/channels/connect", body, format="json").json()
    target = urlsplit(authorize(sandbox, begun["authorization_url"]))
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    answer = api.post("/api/v1/channels/callback", query_params=query)
    assert answer.status_code == 201, answer.content
    return ChannelConnection.objects.get(pk=answer.json()["id"])


def posts(sandbox: SandboxHandle) -> list[dict[str, Any]]:
    """Read what the person has posted, as everybody can, newest first."""
    url = f"{sandbox.url}/api/v1/accounts/ada/statuses"
    result: list[dict[str, Any]] = requests.get(url, timeout=10).json()
    return result


def test_posts_use_refreshed_tokens_to_the_end(
    api: APIClient, row: ChannelConnection, sandbox: SandboxHandle
) -> None:
    first = due_schedule(row, content="First", image_url="https://images.example.com/a.png")
    assert published() == ["published"]
    old = row.opened()
    ChannelConnection.objects.update(token_expires_at=timezone.now())
    due_schedule(row, content="Second")
    assert published() == ["published"]
    assert [post["content"] for post in posts(sandbox)[:2]] == ["Second", "First"]
    assert posts(sandbox)[1]["image_url"] == "https://images.example.com/a.png"
    assert history_of(first) == [("published", posts(sandbox)[1]["id"])]
    row.refresh_from_db()
    new = row.opened()
    assert new.refresh_token != old.refresh_token
    assert api.delete(f"/api/v1/channels/connections/{row.pk}").status_code == 200
    for token in (old.access_token, new.access_token, new.refresh_token or ""):
        assert introspect(sandbox, token)["active"] is False


def test_a_post_whose_answer_was_lost_is_there_once(
    row: ChannelConnection, sandbox: SandboxHandle
) -> None:
    schedule = due_schedule(row, content="Once")
    assert published() == ["published"]
    (result,) = history_of(schedule)
    before = len(posts(sandbox))
    # As if the publisher had died between the platform's answer and its record.
    schedule.publish_events.all().delete()
    columns = {"published_at": None, "unsure_since": timezone.now()}
    Schedule.objects.update(status="pending", **columns)
    make_due(schedule)
    assert published() == ["published"]
    assert history_of(schedule) == [result]
    assert len(posts(sandbox)) == before


def test_what_the_platform_refuses_has_failed(
    row: ChannelConnection, sandbox: SandboxHandle
) -> None:
    before = len(posts(sandbox))
    schedule = due_schedule(row, content=" ")
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "refused")
    assert len(posts(sandbox)) == before
