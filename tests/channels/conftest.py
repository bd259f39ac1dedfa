"""A channel to connect to and to publish to, and connections to it."""

import pytest

from channels.models import ChannelConnection
from connections_project.api import throttling
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.support.channel_publishing import ADAPTER, MASTODON, X, accepted, tooted
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import PlatformServer


@pytest.fixture
def chirp(server: PlatformServer, use_catalogue: UseCatalogue) -> Chirp:
    """A channel that works, and can be set to fail."""
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
    """The owner's connection to the channel, made without a flow, with access-0 and refresh-0."""
    return channel_of(owner)


@pytest.fixture
def like_x(chirp: Chirp, use_catalogue: UseCatalogue) -> Chirp:
    """The channel, to be published to as to X: nothing there recognizes a repeated post."""
    use_catalogue(chirp.catalogue(more=ADAPTER.format("x")), "chirp")
    chirp.server.on("POST", X, accepted())
    return chirp


@pytest.fixture
def like_mastodon(chirp: Chirp, use_catalogue: UseCatalogue) -> Chirp:
    """The channel, to be published to as to Mastodon: a repeated post is recognized by its key."""
    use_catalogue(chirp.catalogue(more=ADAPTER.format("mastodon")), "chirp")
    chirp.server.on("POST", MASTODON, tooted())
    return chirp
