"""A platform on loopback, and our client there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connections_project.oauth.catalog import (
    Catalog,
    CatalogError,
    Platform,
    Revocation,
    load_catalog,
)
from connections_project.oauth.client import ClientRegistration, TokenSet, exchange_code
from connections_project.oauth.errors import PlatformError
from tests.support.catalog_texts import Complaint, Load
from tests.support.platform_server import Answer, PlatformServer

SECRET = "s3cret/with:odd +characters"
REDIRECT_URI = "https://service.test/oauth/callback/bank"
MakePlatform = Callable[..., Platform]
Failing = Callable[..., PlatformError]


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


@pytest.fixture
def failure(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> Failing:
    """Exchange a code at a server that gives this answer, and give the error."""

    def fail(answer: Answer, *, within: float = 10.0) -> PlatformError:
        server.on("POST", "/token", answer)
        with pytest.raises(PlatformError) as caught:
            exchange(platform, registration, within=within)
        return caught.value

    return fail


def exchange(
    platform: Platform, registration: ClientRegistration, within: float = 10.0
) -> TokenSet:
    return exchange_code(
        platform,
        registration,
        code="the-code",
        redirect_uri=REDIRECT_URI,
        code_verifier="the-verifier",
        within=within,
    )


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a catalogue of one file with this text."""

    def load_text(text: str) -> Catalog:
        path = tmp_path / "catalog.toml"
        path.write_text(text, encoding="utf-8")
        return load_catalog(path, apps=("providers", "channels", "social"))

    return load_text


@pytest.fixture
def complaint(load: Load) -> Complaint:
    """Load a wrong catalogue and give the complaint."""

    def complain(text: str) -> str:
        with pytest.raises(CatalogError) as caught:
            load(text)
        return str(caught.value)

    return complain
