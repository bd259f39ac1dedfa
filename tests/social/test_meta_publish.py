"""Publishing at Meta: a Page's feed, containers that are waited for, and their faults."""

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from connections_project.identity.models import Team
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import TokenSet
from social import publish as verb
from social.adapters.meta import publishing
from social.disconnect import disconnect_own
from social.models import SocialAccount
from tests.social.conftest import Meta
from tests.support.meta_graph import DEAD, REMOVED, USER, Graph
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import events
from tests.support.social_publishing import publish, status_and_error
from tests.support.social_rows import account_of

IMAGE = "https://example.com/a.jpg"
IN_PROGRESS = {"status_code": "IN_PROGRESS", "status": "IN_PROGRESS"}
FINISHED = {"status_code": "FINISHED", "status": "FINISHED"}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "POLL_SECONDS", 0.01)


def row_of(team: Team, slug: str, account_id: str) -> SocialAccount:
    tokens = TokenSet("page-token", "user-token", refresh_expires_in=5_184_000)
    return account_of(team, platform=slug, account_id=account_id, granted_by=USER, tokens=tokens)


@pytest.fixture
def container(meta: Meta, team: Team, request: pytest.FixtureRequest) -> tuple[Graph, Any, str]:
    """A platform with containers, an account there, and the path below which they are made."""
    slug, made, path = request.param
    graph = meta(slug)
    graph.on("POST", f"/77/{made}", graph.signed(lambda _: Answer(json={"id": "500"})))
    graph.on("GET", "/500", graph.signed(lambda _: Answer(json=FINISHED)))
    graph.on("POST", f"/77/{path}", graph.signed(lambda _: Answer(json={"id": "900"})))
    link = {"id": "900", "permalink": "https://meta.example/p/900"}
    graph.on("GET", "/900", graph.signed(lambda _: Answer(json=link)))
    return graph, row_of(team, slug, "77"), path


CONTAINERS = pytest.mark.parametrize(
    "container",
    [
        ("instagram_business", "media", "media_publish"),
        ("threads", "threads", "threads_publish"),
    ],
    indirect=True,
    ids=["instagram_business", "threads"],
)
Container = tuple[Graph, SocialAccount, str]


@CONTAINERS
def test_a_container_is_made_waited_for_and_published(api: APIClient, container: Container) -> None:
    graph, row, path = container
    waiting = iter([IN_PROGRESS, IN_PROGRESS, FINISHED])
    graph.on("GET", "/500", graph.signed(lambda _: Answer(json=next(waiting))))
    answer = publish(api, row, imageUrl=IMAGE)
    assert answer.status_code == 200, answer.content
    assert answer.json()["postId"] == "900"
    assert answer.json()["postUrl"] == "https://meta.example/p/900"
    made, *looks, published, _ = graph.server.requests
    assert made.form["image_url"] == IMAGE
    assert "Hello" in made.form.values()
    assert [look.method for look in looks] == ["GET"] * 3
    assert published.path.endswith(f"/77/{path}")
    assert published.form["creation_id"] == "500"
    tokens = {one.headers["Authorization"] for one in graph.server.requests}
    assert tokens == {"Bearer page-token"}


@CONTAINERS
@pytest.mark.parametrize("status", ["ERROR", "EXPIRED", "PUBLISHED", None, 7, {"of": []}])
def test_a_failed_container_is_not_published(
    api: APIClient, container: Container, status: object
) -> None:
    graph, row, path = container
    told_of = {"status_code": status, "status": status}
    graph.on("GET", "/500", Answer(json=told_of))
    answer = publish(api, row, imageUrl=IMAGE)
    assert status_and_error(answer) == (502, "Platform error")
    assert "did not take" in answer.json()["message"]
    assert graph.sent(f"/77/{path}") == []


@CONTAINERS
def test_the_wait_is_bounded_and_then_abandoned(
    api: APIClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, row, path = container
    monkeypatch.setattr(verb, "SECONDS_IN_ALL", 0.2)
    graph.on("GET", "/500", Answer(json=IN_PROGRESS))
    answer = publish(api, row, imageUrl=IMAGE)
    assert status_and_error(answer) == (502, "Platform error")
    assert "did not take" in answer.json()["message"]
    assert graph.sent(f"/77/{path}") == []
    assert events("account_published")[0].details["error"] == "timeout"


@CONTAINERS
def test_only_a_last_step_fault_is_uncertain(api: APIClient, container: Container) -> None:
    graph, row, path = container
    graph.on("GET", "/500", Answer(500), Answer(json=FINISHED))
    assert "did not take" in publish(api, row, imageUrl=IMAGE).json()["message"]
    graph.on("POST", f"/77/{path}", Answer(500))
    assert "may be there" in publish(api, row, imageUrl=IMAGE).json()["message"]


@CONTAINERS
def test_a_post_counts_without_its_permalink(api: APIClient, container: Container) -> None:
    graph, row, _ = container
    graph.on("GET", "/900", Answer(500))
    answer = publish(api, row, imageUrl=IMAGE)
    assert (answer.status_code, answer.json()["postUrl"]) == (200, None)


@CONTAINERS
@pytest.mark.parametrize(("dead", "status"), [(DEAD, "expired"), (REMOVED, "revoked")])
def test_a_dead_token_marks_the_account(
    api: APIClient, container: Container, dead: Answer, status: str
) -> None:
    graph, row, _ = container
    graph.on("GET", "/500", dead)
    assert status_and_error(publish(api, row, imageUrl=IMAGE)) == (502, "Platform error")
    row.refresh_from_db()
    assert (row.status, row.is_active) == (status, False)
    assert status_and_error(publish(api, row, imageUrl=IMAGE)) == (403, "Reconnection required")


@CONTAINERS
@pytest.mark.parametrize("code", [1, 2, 4, 10, 17, 200, 341, 368])
def test_other_faults_of_the_graph_mark_nothing(
    api: APIClient, container: Container, code: int
) -> None:
    graph, row, _ = container
    graph.on("GET", "/500", Answer(400, json={"error": {"code": code}}))
    assert status_and_error(publish(api, row, imageUrl=IMAGE)) == (502, "Platform error")
    row.refresh_from_db()
    assert row.status == "active"


@CONTAINERS
@pytest.mark.django_db(transaction=True)
def test_a_disconnect_during_the_wait_stops_it(api: APIClient, container: Container) -> None:
    """A disconnected account went on publishing from a kept token: elsewhere, not here."""
    graph, row, path = container

    def meanwhile(_: Request) -> Answer:
        disconnect_own(account_id=row.pk, team_id=row.team_id, origin=command_origin(None))
        connection.close()
        return Answer(json=FINISHED)

    graph.on("GET", "/500", meanwhile)
    assert status_and_error(publish(api, row, "key-1", imageUrl=IMAGE)) == (403, "Account inactive")
    assert graph.sent(f"/77/{path}") == []


@CONTAINERS
@pytest.mark.django_db(transaction=True)
def test_a_disconnect_after_the_post_keeps_it(api: APIClient, container: Container) -> None:
    graph, row, path = container

    def meanwhile(_: Request) -> Answer:
        disconnect_own(account_id=row.pk, team_id=row.team_id, origin=command_origin(None))
        connection.close()
        return Answer(json={"id": "900"})

    graph.on("POST", f"/77/{path}", meanwhile)
    answer = publish(api, row, "key-1", imageUrl=IMAGE)
    assert (answer.status_code, answer.json()["postId"]) == (200, "900")
    assert answer.json()["postUrl"] is None
    assert graph.sent("/900") == []
    assert publish(api, row, "key-1", imageUrl=IMAGE).json() == answer.json()


def test_instagram_has_no_posts_without_an_image(api: APIClient, meta: Meta, team: Team) -> None:
    graph = meta("instagram_business")
    answer = publish(api, row_of(team, "instagram_business", "77"))
    assert status_and_error(answer) == (400, "Validation failed")
    assert answer.json()["details"][0]["field"] == "imageUrl"
    assert graph.server.requests == []


def test_threads_has(api: APIClient, meta: Meta, team: Team) -> None:
    graph = meta("threads")
    graph.on("POST", "/77/threads", Answer(json={"id": "500"}))
    graph.on("GET", "/500", Answer(json=FINISHED))
    graph.on("POST", "/77/threads_publish", Answer(json={"id": "900"}))
    assert publish(api, row_of(team, "threads", "77")).status_code == 200
    made = graph.sent("/77/threads")[0].form
    assert (made["media_type"], made["text"], "image_url" in made) == ("TEXT", "Hello", False)


@pytest.mark.parametrize(
    ("image", "path", "sent", "answer"),
    [
        (None, "feed", {"message": "Hello"}, {"id": "77_900"}),
        (IMAGE, "photos", {"caption": "Hello", "url": IMAGE}, {"id": "5", "post_id": "77_900"}),
    ],
)
def test_a_page_posts_to_its_feed_or_a_photo(
    api: APIClient,
    meta: Meta,
    team: Team,
    image: str | None,
    path: str,
    sent: dict[str, str],
    answer: dict[str, str],
) -> None:
    graph = meta("facebook_page")
    graph.on("POST", f"/77/{path}", graph.signed(lambda _: Answer(json=answer)))
    link = {"permalink_url": "https://www.facebook.com/77/posts/900"}
    graph.on("GET", "/77_900", graph.signed(lambda _: Answer(json=link)))
    told_of = publish(api, row_of(team, "facebook_page", "77"), imageUrl=image).json()
    assert (told_of["postId"], told_of["postUrl"]) == ("77_900", link["permalink_url"])
    form = graph.sent(f"/77/{path}")[0].form
    form.pop("appsecret_proof")
    assert form == sent


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": {}}, {"id": "../x"}, {"id": ""}, []])
def test_an_id_that_is_none_is_not_believed(
    api: APIClient, meta: Meta, team: Team, answer: Any
) -> None:
    graph = meta("facebook_page")
    graph.on("POST", "/77/feed", Answer(json=answer))
    refused = publish(api, row_of(team, "facebook_page", "77"))
    assert status_and_error(refused) == (502, "Platform error")
    assert "may be there" in refused.json()["message"]
