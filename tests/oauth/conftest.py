"""A platform on loopback, and our client there."""

from collections.abc import Callable
from typing import Any

import pytest

from connections_project.oauth.catalog import Platform, Revocation
from connections_project.oauth.client import ClientRegistration
from tests.servers import PlatformServer

SECRET = "s3cret/with:odd +characters"
REDIRECT_URI = "https://service.test/oauth/callback/bank"
MakePlatform = Callable[..., Platform]


@pytest.fixture
def registration() -> ClientRegistration:
    return ClientRegistration("client id", SECRET, (REDIRECT_URI,))


@pytest.fixture
def make_platform(server: PlatformServer) -> MakePlatform:
    """Make an entry whose endpoints are the server's; keywords replace its values."""

    def make(**values: Any) -> Platform:
        endpoints = {
            "authorization_endpoint": f"{server.url}/authorize",
            "token_endpoint": f"{server.url}/token",
        }
        return Platform(app="providers", slug="bank", name="Bank", **{**endpoints, **values})

    return make


@pytest.fixture
def platform(make_platform: MakePlatform) -> Platform:
    return make_platform()


@pytest.fixture
def revocable(make_platform: MakePlatform, server: PlatformServer) -> MakePlatform:
    """Make an entry with a revocation; keywords replace the revocation's values."""

    def make(auth_method: str = "client_secret_basic", **values: Any) -> Platform:
        revocation = Revocation(**{"endpoint": f"{server.url}/revoke", **values})
        return make_platform(token_endpoint_auth_method=auth_method, revocation=revocation)

    return make
