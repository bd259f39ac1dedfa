"""A social platform to connect to, and programs that bear a team's key."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from connections_project.api import throttling
from connections_project.identity.keys import create_key
from connections_project.identity.models import Scope, Team, User
from connections_project.identity.origins import command_origin
from tests.conftest import UseCatalogue
from tests.support.gallery import Gallery
from tests.support.meta_graph import Graph
from tests.support.platform_server import PlatformServer


@pytest.fixture
def gallery(server: PlatformServer, use_catalogue: UseCatalogue) -> Gallery:
    """A platform that works, and can be set to fail."""
    made = Gallery(server)
    use_catalogue(made.catalogue(), "gallery")
    made.open()
    return made


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test connect more often than five times a minute."""
    monkeypatch.setattr(throttling, "consume", lambda *_: None)


@pytest.fixture
def team(owner: User) -> Team:
    return owner.own_team


KeyClient = Callable[..., APIClient]


@pytest.fixture
def with_key() -> KeyClient:
    """Return a client that bears a team's key, with all scopes unless some are named."""

    def with_key(team: Team, *scopes: str) -> APIClient:
        made = create_key(team=team, scopes=scopes or Scope.values, origin=command_origin(None))
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_X_API_KEY=made.text, HTTP_X_TEAM_ID=str(team.pk))
        return client

    return with_key


Meta = Callable[[str], Graph]
META = ("facebook_page", "instagram_business", "threads")


@pytest.fixture
def meta(server: PlatformServer, use_catalogue: UseCatalogue) -> Meta:
    """Return a platform of Meta's, at a server that stands in for it."""

    def meta(slug: str) -> Graph:
        graph = Graph(server, slug)
        use_catalogue(graph.overlay(), *META)
        graph.open()
        return graph

    return meta
