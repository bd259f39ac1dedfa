"""The API for front ends of other origins (Fetch Standard, section 3.3), and nothing beside it."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

ORIGIN = "https://app.example.com"
pytestmark = pytest.mark.django_db

PATHS = [
    "/api/v1/providers",
    "/api/v1/channels",
    "/api/v1/plugin/social-media-publisher/social/accounts",
    "/api/v1/me",
    "/api/v1/nowhere",
    "/api/v1/auth/login",
]


@pytest.fixture(autouse=True)
def _allowed(settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


def preflight(client: Client, path: str, origin: str = ORIGIN) -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    return client.options(path, headers=asked)


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_is_answered(client: Client, path: str) -> None:
    answer = preflight(client, path)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    allowed = {word.strip().lower() for word in answer["Access-Control-Allow-Headers"].split(",")}
    assert allowed == {
        "authorization",
        "content-type",
        "idempotency-key",
        "traceparent",
        "x-team-id",
    }
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(
        answer["Access-Control-Allow-Methods"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in answer
    assert answer["X-Trace-Id"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_can_be_read(client: Client, path: str) -> None:
    """Errors too: a front end must tell 401 from a network that is down."""
    answer = client.get(path, headers={"Origin": ORIGIN})
    assert answer.status_code >= 400
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer["Vary"].split(", ")
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert exposed == {
        "X-Trace-Id",
        "Retry-After",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "Link",
    }


def test_a_body_too_large_can_be_read(client: Client) -> None:
    body = b"x" * (1024 * 1024 + 1)
    answer = client.post(
        "/api/v1/providers", body, content_type="application/json", headers={"Origin": ORIGIN}
    )
    assert answer.status_code == 413
    assert answer["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://APP.example.com.",
        "null",
    ],
)
def test_other_origins_get_no_answer(client: Client, origin: str) -> None:
    for answer in (
        preflight(client, PATHS[0], origin),
        client.get(PATHS[0], headers={"Origin": origin}),
    ):
        assert "Access-Control-Allow-Origin" not in answer
        assert "Origin" in answer["Vary"].split(", ")


@pytest.mark.parametrize(
    "path",
    ["/admin/login/", "/sign-in", "/healthz", "/metrics", "/.well-known/jwks.json",
     "/oauth/callback/schwab", "/apiary", "/admin/api/"],
)  # fmt: skip
def test_nothing_else_is_opened(client: Client, path: str) -> None:
    for answer in (preflight(client, path), client.get(path, headers={"Origin": ORIGIN})):
        assert "Access-Control-Allow-Origin" not in answer


def test_nobody_is_let_in_by_default(client: Client, settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    assert "Access-Control-Allow-Origin" not in preflight(client, PATHS[0])
