"""A social platform to connect to."""

import pytest

from connections_project.identity.models import Team, User
from tests.conftest import UseCatalogue
from tests.gallery import Gallery
from tests.servers import PlatformServer


@pytest.fixture
def gallery(server: PlatformServer, use_catalogue: UseCatalogue) -> Gallery:
    """A platform that works, and can be told not to."""
    made = Gallery(server)
    use_catalogue(made.catalogue(), "gallery")
    made.open()
    return made


@pytest.fixture
def team(owner: User) -> Team:
    return owner.own_team
