"""The sign-in calls as the owner makes them, and whoever tries to be her."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.http import HttpResponse
from django.test import Client

from connections_project.api.rate_limits import process_buckets
from connections_project.identity.models import User
from tests.conftest import PASSWORD

EMAIL = "owner@example.com"

__all__ = ["EMAIL", "PASSWORD", "Post"]

Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def _routes(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = "tests.support.identity_urls"


@pytest.fixture(autouse=True)
def _nothing_counted_before(settings: LazySettings) -> Iterator[None]:
    settings.REDIS_URL = ""
    process_buckets.cache_clear()
    caches["login_attempts"].clear()
    yield
    process_buckets.cache_clear()
    caches["login_attempts"].clear()


@pytest.fixture
def post(client: Client) -> Post:
    """Post JSON to a call of signing in: `post("login", email=…, password=…)`."""

    def post(call: str, **body: Any) -> Any:
        return client.post(f"/api/v1/auth/{call}", body, content_type="application/json")

    return post


@pytest.fixture
def signed_in(owner: User, post: Post) -> dict[str, Any]:
    """The tokens of the owner, who has just signed in."""
    answer: dict[str, Any] = post("login", email=EMAIL, password=PASSWORD).json()
    return answer


@pytest.fixture
def whoami(client: Client) -> Callable[[str], HttpResponse]:
    """Ask with a Bearer who it speaks for."""

    def whoami(token: str) -> Any:
        return client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {token}"})

    return whoami
