"""Every error under /channels and /schedules is an item of `errors`, whatever raised it."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from rest_framework.test import APIClient

from connections_project.api.rate_limits import Decision
from tests.support.channel_disconnects import CONNECTIONS
from tests.support.channel_errors import only_error, refusal
from tests.support.channel_scheduling import SCHEDULES

CHANNELS = "/api/v1/channels"
PREFIXES = [CHANNELS, SCHEDULES]


@pytest.fixture(params=[False, True], ids=["production", "debug"], autouse=True)
def debug(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    settings.DEBUG = request.param


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("rest", ["/nothing/at/all", "/", "/%00/x", "/%ff/x"])
def test_an_unknown_path(anonymous: APIClient, prefix: str, rest: str) -> None:
    assert refusal(anonymous.get(prefix + rest)) == (404, "NOT_FOUND")


def test_a_prefix_ends_at_a_slash(anonymous: APIClient) -> None:
    for path in ("/api/v1/channelsx", "/api/v1/schedulesx"):
        assert anonymous.get(path)["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", [f"{CHANNELS}/connect", CONNECTIONS, SCHEDULES])
@pytest.mark.parametrize("method", ["put", "patch", "options", "trace"])
def test_another_method(api: APIClient, url: str, method: str) -> None:
    answer = api.generic(method.upper(), url)
    assert refusal(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer["Allow"]


POSTS = [f"{CHANNELS}/connect", SCHEDULES, f"{SCHEDULES}/bulk-cancel"]


@pytest.mark.parametrize(
    "url", [*POSTS, f"{CONNECTIONS}/01940000-0000-7000-8000-000000000000/refresh"]
)
def test_bodies_that_can_not_be_read(api: APIClient, url: str) -> None:
    def post(body: Any) -> Any:
        return api.post(url, body, content_type="application/json")

    for body in ("{", "[]", '"x"', "\xff", '{"a": NaN}', '{"a": "\\u0000"}'):
        assert refusal(post(body)) == (400, "VALIDATION_FAILED")
        assert only_error(post(body))["meta"]["fields"]
    assert refusal(api.post(url, "a=b", content_type="text/plain")) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )
    large = b"{" + b" " * 1024 * 1024 + b"}"
    assert refusal(post(large)) == (413, "PAYLOAD_TOO_LARGE")


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


def test_an_empty_bucket(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Decision(allowed=False, limit=5, remaining=0, reset_at=1_800_000_000, retry_after=12)
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: empty)
    for url in (CONNECTIONS, SCHEDULES):
        answer = api.get(url)
        assert refusal(answer) == (429, "RATE_LIMIT_EXCEEDED")
        assert (answer["Retry-After"], answer["X-RateLimit-Remaining"]) == ("12", "0")


FAILURES: list[tuple[type[Exception], tuple[int, str]]] = [
    (OperationalError, (503, "SERVICE_UNAVAILABLE")),
    (ZeroDivisionError, (500, "INTERNAL_ERROR")),
]


@pytest.mark.parametrize(("raised", "expected"), FAILURES)
def test_a_database_that_is_away_and_a_defect(
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
    raised: type[Exception],
    expected: tuple[int, str],
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised("secret-of-the-inside")

    monkeypatch.setattr("channels.api.views.own_connections", fail)
    monkeypatch.setattr("channels.api.views.own_schedules", fail)
    for url in (CONNECTIONS, SCHEDULES):
        answer = api.get(url)
        assert refusal(answer) == expected
        assert b"secret-of-the-inside" not in answer.content


def test_bad_credentials_are_challenged(anonymous: APIClient) -> None:
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    for url in (CONNECTIONS, SCHEDULES):
        answer = anonymous.get(url)
        assert refusal(answer) == (401, "AUTHENTICATION_REQUIRED")
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer["X-Trace-Id"]


def test_a_nul_in_a_query_names_the_parameter(api: APIClient) -> None:
    for url in (CONNECTIONS, SCHEDULES):
        answer = api.get(f"{url}?q=a%00")
        assert refusal(answer) == (400, "VALIDATION_FAILED")
        assert only_error(answer)["meta"]["fields"][0]["field"] == "q"
