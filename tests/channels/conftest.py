"""A channel to connect to."""

import pytest

from tests.chirp import Chirp
from tests.conftest import UseCatalogue
from tests.servers import PlatformServer


@pytest.fixture
def chirp(server: PlatformServer, use_catalogue: UseCatalogue) -> Chirp:
    """A channel that works, and can be told not to."""
    made = Chirp(server)
    use_catalogue(made.catalogue(), "chirp")
    made.open()
    return made
