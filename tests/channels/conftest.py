"""A channel to connect to, and connections to it."""

import pytest

from channels.models import ChannelConnection
from connections_project.http import throttling
from connections_project.identity.models import User
from tests.channel_rows import channel_of
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


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test call more often than the buckets allow."""
    monkeypatch.setattr(throttling, "consume", lambda *_: None)


@pytest.fixture
def row(owner: User, chirp: Chirp) -> ChannelConnection:
    """The owner's connection to the channel, made without a flow."""
    return channel_of(owner)
