"""At each social platform posts are published by the real service, from the consent to the post."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.catalog import catalog
from social.models import SocialAccount
from tests.platforms.recorded.overlays import SHIPPED
from tests.platforms.recorded.posts.social import CASES, CONTAINER, PICTURE_URL, Case
from tests.support.bank import REDIRECT_URI
from tests.support.gallery import connect
from tests.support.meta_graph import Graph
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.social_publishing import publish, status_and_error

pytestmark = pytest.mark.django_db

SECRET = "s3cret/+&=%"
STATES = ("IN_PROGRESS", "FINISHED")


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def graph(
    case: Case,
    server: PlatformServer,
    settings: LazySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Graph:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    monkeypatch.setattr("social.adapters.meta.publishing.POLL_SECONDS", 0.01)
    made = Graph(server, case.slug, secret=SECRET)
    path = tmp_path / "overlay.toml"
    path.write_text(made.overlay(), encoding="utf-8")
    settings.CATALOG_FILES = (path,)
    client = asdict(ClientRegistration("our client", SECRET, (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {one.slug: client for one in catalog().all()}
    made.open()
    _open(made, case)
    return made


def _open(graph: Graph, case: Case) -> None:
    for path, (form, answer) in case.calls.items():
        graph.on("POST", path, graph.signed(_taking(form, Answer(json=dict(answer)))))
    looks = [Answer(json={"status": one, "status_code": one}) for one in STATES]
    graph.on("GET", f"/{CONTAINER}", *(graph.signed(_taking({}, one)) for one in looks))
    link = {case.permalink: "https://meta.example/p/900", "id": case.post_id}
    graph.on("GET", f"/{case.post_id}", graph.signed(lambda _: Answer(json=link)))


def _taking(form: Mapping[str, str], answer: Answer) -> Any:
    def script(request: Request) -> Answer:
        given = {name: text for name, text in request.form.items() if name != "appsecret_proof"}
        return answer if given == dict(form) else Answer(400, json={"error": {"code": 100}})

    return script


@pytest.fixture
def account(api: APIClient, graph: Graph, case: Case) -> SocialAccount:
    rows = {one.platform_account_id: one for one in connect(api, case.slug)}
    return rows[case.account]


def test_a_post_is_published(
    api: APIClient, account: SocialAccount, case: Case, graph: Graph
) -> None:
    picture = {"imageUrl": PICTURE_URL} if case.picture else {}
    answer = publish(api, account, **picture)
    assert answer.status_code == 200, answer.content
    published = (answer.json()["postId"], answer.json()["postUrl"])
    assert published == (case.post_id, "https://meta.example/p/900")
    sent = [one.path.removeprefix(graph.version) for one in graph.server.requests]
    assert [path for path in sent if path in case.calls] == list(case.calls)


def test_what_it_would_refuse_is_not_sent(
    api: APIClient, account: SocialAccount, case: Case, graph: Graph
) -> None:
    publishing = adapter_of(SHIPPED[case.slug]).publishing
    assert publishing is not None
    longest = publishing.longest_text(SHIPPED[case.slug])
    answer = publish(api, account, caption="x" * (longest + 1), imageUrl=PICTURE_URL)
    assert status_and_error(answer) == (400, "Validation failed")
    assert [one["field"] for one in answer.json()["details"]] == ["caption"]
    assert not any(graph.sent(path) for path in case.calls)
