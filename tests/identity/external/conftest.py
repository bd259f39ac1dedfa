"""An issuer that the service knows, and the service as its people see it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from connections_project.identity import external_tokens
from tests.support.issuer import TestIssuer
from tests.support.platform_server import PlatformServer

Me = Callable[..., Any]


@pytest.fixture
def issuer(server: PlatformServer, settings: LazySettings) -> TestIssuer:
    # A server of an earlier test may have had the same port.
    external_tokens._key_server.cache_clear()
    made = TestIssuer(server)
    settings.IDENTITY = made.settings()
    return made


@pytest.fixture
def me(db: None, client: Client) -> Me:
    """Ask who one is: `me(token)`."""

    def me(token: str, **more: Any) -> Any:
        return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}, **more)

    return me
