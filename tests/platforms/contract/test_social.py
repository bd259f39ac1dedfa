"""Each shipped social platform is asked as its entry says; only its host is another."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import catalog
from connections_project.revocation.models import GrantHold, RevocationJob
from social.models import SocialAccount
from tests.platforms.contract.conftest import CLIENT_ID, CLIENT_SECRET, authenticates
from tests.support.bank import REDIRECT_URI, query_of
from tests.support.gallery import SOCIAL, call_back, connect, disconnect, start
from tests.support.meta_graph import USER, Graph
from tests.support.meta_webhooks import send
from tests.support.platform_server import Answer, PlatformServer
from tests.support.webhook_signing import signed_request

pytestmark = pytest.mark.django_db

SLUGS = ("facebook_page", "instagram_business", "threads")
GRANTED = {
    "facebook_page": {"71", "72", "73"},
    "instagram_business": {"1772", "1773"},
    "threads": {USER},
}


@pytest.fixture(params=SLUGS)
def graph(
    request: pytest.FixtureRequest, server: PlatformServer, settings: LazySettings, tmp_path: Any
) -> Graph:
    made = Graph(server, request.param, secret=CLIENT_SECRET)
    path = tmp_path / "overlay.toml"
    path.write_text(made.overlay(), encoding="utf-8")
    settings.CATALOG_FILES = (path,)
    registration = asdict(ClientRegistration(CLIENT_ID, CLIENT_SECRET, (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {one.slug: registration for one in catalog().all()}
    made.open()
    return made


def test_the_authorization_request_fits_the_platform(
    api: APIClient, graph: Graph, settings: LazySettings
) -> None:
    platform = catalog()[graph.slug]
    body = {"platform": graph.slug}
    begun = api.post(f"{SOCIAL}/connect", body, format="json").json()
    url = begun["authorizationUrl"]
    assert urlsplit(url)._replace(query="").geturl() == platform.authorization_endpoint
    assert query_of(url) == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "state": begun["state"],
        "scope": platform.scope_separator.join(platform.scopes),
    }


def test_its_code_is_exchanged_as_it_wants(
    api: APIClient, graph: Graph, settings: LazySettings
) -> None:
    connect(api, graph.slug)
    request = graph.sent("/oauth/access_token")[0]
    assert authenticates(request, catalog()[graph.slug])
    assert request.form["grant_type"] == "authorization_code"
    assert (request.form["code"], request.form["redirect_uri"]) == ("the-code", REDIRECT_URI)
    assert "code_verifier" not in request.form


def test_accounts_are_kept_by_id_and_granter(api: APIClient, graph: Graph) -> None:
    rows = connect(api, graph.slug)
    assert {row.platform_account_id for row in rows} == GRANTED[graph.slug]
    assert {row.granting_user_id for row in rows} == {USER}
    assert {row.authority for row in rows} == {urlsplit(graph.server.url).netloc}
    assert GrantHold.objects.filter(platform_user_id=USER).count() == len(rows)
    # The same grant again is for the same records.
    assert {row.pk for row in connect(api, graph.slug)} == {row.pk for row in rows}


def test_short_tokens_are_not_used_once_exchanged(api: APIClient, graph: Graph) -> None:
    connect(api, graph.slug)
    bearers = [one.headers["Authorization"] for one in graph.server.requests]
    assert {one for one in bearers if one} == {"Bearer long-1"}


def test_a_notice_ends_all_that_the_person_gave(
    api: APIClient, anonymous: APIClient, graph: Graph
) -> None:
    rows = connect(api, graph.slug)
    assert send(anonymous, signed_request("another secret", user_id=USER)).status_code == 400
    assert all(SocialAccount.objects.get(pk=row.pk).is_active for row in rows)
    assert send(anonymous, signed_request(CLIENT_SECRET, user_id=USER)).status_code == 200
    for row in rows:
        row.refresh_from_db()
        assert (row.is_active, row.auth_state) == (False, None)
    assert not RevocationJob.objects.exists()


def test_a_disconnect_sends_nothing_and_is_reversible(api: APIClient, graph: Graph) -> None:
    first, *_ = connect(api, graph.slug)
    graph.server.requests.clear()
    assert disconnect(api, first).status_code == 200
    assert graph.server.requests == []
    answer = call_back(api, start(api, graph.slug, accountIds=[str(first.pk)]))
    assert str(first.pk) in {one["id"] for one in answer.json()["accounts"]}


@pytest.mark.parametrize("path", ["/oauth/access_token", "/me"])
@pytest.mark.parametrize("answer", [Answer(500), Answer(429), Answer(503)])
def test_a_passing_fault_ends_no_connection(
    api: APIClient, graph: Graph, path: str, answer: Answer
) -> None:
    rows = connect(api, graph.slug)
    for method in ("GET", "POST"):
        graph.on(method, path, answer)
    assert call_back(api, start(api, graph.slug)).status_code == 502
    assert SocialAccount.objects.usable().count() == len(rows)
