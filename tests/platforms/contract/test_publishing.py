"""Each shipped platform that we publish to is asked as its documentation says."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection, PublishEvent, Schedule
from tests.platforms.contract.conftest import Actor
from tests.support.channel_publishing import tried
from tests.support.channel_rows import schedule_of
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db

URN = "urn:li:share:7123"
PATHS = {"x": "/2/tweets", "linkedin": "/rest/posts", "mastodon": "/api/v1/statuses"}
ACCEPTED = {
    "x": Answer(201, json={"data": {"id": "1445880548472328192", "text": "Hello"}}),
    "linkedin": Answer(201, headers={"x-restli-id": URN}),
    "mastodon": Answer(json={"id": "103254962", "url": "https://mastodon.social/@ada/103254962"}),
}
POST_IDS = {"x": "1445880548472328192", "linkedin": URN, "mastodon": "103254962"}

each_publisher = pytest.mark.parametrize("actor", PATHS, indirect=True)


def publish(
    api: APIClient, actor: Actor, text: str = "Hello"
) -> tuple[ChannelConnection, Schedule]:
    connection = actor.connect(api)
    moment = timezone.now() - timedelta(seconds=1)
    schedule = schedule_of(connection, run_at=moment, content=text)
    tried()
    schedule.refresh_from_db()
    connection.refresh_from_db()
    return connection, schedule


def posted(api: APIClient, actor: Actor, text: str = "Hello") -> Request:
    """Publish where all goes well, and give what the platform was asked."""
    slug = actor.platform.slug
    actor.server.on("POST", PATHS[slug], ACCEPTED[slug])
    _, schedule = publish(api, actor, text)
    assert schedule.status == "published"
    assert PublishEvent.objects.get().platform_post_id == POST_IDS[slug]
    (request,) = actor.server.requests_to(PATHS[slug])
    assert request.headers["Authorization"] == f"Bearer {actor.issued[0]['access_token']}"
    return request


@pytest.mark.parametrize("actor", ["linkedin"], indirect=True)
@pytest.mark.parametrize(
    ("text", "commentary"),
    [
        ("a (b) [c] {d} <e> |f|", r"a \(b\) \[c\] \{d\} \<e\> \|f\|"),
        (r"snake_case *bold* ~x~ @me \n", r"snake\_case \*bold\* \~x\~ \@me \\n"),
        ("#launch and # alone", r"#launch and \# alone"),
        ("Plain, with: punctuation! 100 % — “fine”?", "Plain, with: punctuation! 100 % — “fine”?"),
    ],
)
def test_linkedin_text_is_escaped(api: APIClient, actor: Actor, text: str, commentary: str) -> None:
    assert posted(api, actor, text).json["commentary"] == commentary


@each_publisher
@pytest.mark.parametrize("answer", [Answer(201, json={}), Answer(201, json=[]), Answer(204)])
def test_an_answer_without_the_posts_id_is_no_success(
    api: APIClient, actor: Actor, answer: Answer
) -> None:
    actor.server.on("POST", PATHS[actor.platform.slug], answer)
    _, schedule = publish(api, actor)
    again = actor.platform.slug == "mastodon"
    expected = ("pending", None) if again else ("failed", "outcome_unknown")
    assert (schedule.status, schedule.failure_reason) == expected


DEAD: dict[str, tuple[Any, str]] = {
    "linkedin": (
        {"status": 401, "serviceErrorCode": 65601, "code": "REVOKED_ACCESS_TOKEN"},
        "error",
    ),
    "mastodon": ({"error": "The access token is invalid"}, "error"),
}


@pytest.mark.parametrize("actor", DEAD, indirect=True)
def test_its_dead_token_words_are_known_at_the_api(
    api: APIClient, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As LinkedIn does for all but approved partners.
    given = {"access_token": "at-1", "token_type": "Bearer", "scope": "x"}
    actor.server.on("POST", actor.path("token_endpoint"), Answer(json=given))
    body, becomes = DEAD[actor.platform.slug]
    actor.server.on("POST", PATHS[actor.platform.slug], Answer(401, json=body))
    connection, schedule = publish(api, actor)
    assert (schedule.status, schedule.failure_reason) == ("failed", "connection_inactive")
    assert connection.status == becomes
