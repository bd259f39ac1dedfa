"""Every error below the prefix has the document's format, whatever raised it."""

from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from connections_project.api.errors import STATUS_CODES
from connections_project.api.rate_limits import Decision
from social.api import errors, views
from tests.support.gallery import SOCIAL, Gallery, call_back, start
from tests.support.platform_server import Answer

JSON = "application/json"


def status_and_error(answer: Any) -> tuple[int, str]:
    """Return an answer's status and its `error`, checking its format."""
    assert answer["Content-Type"] == JSON
    body = answer.json()
    assert set(body) - {"details"} == {"error", "message"}
    assert body["message"]
    assert answer["X-Trace-Id"]
    return answer.status_code, body["error"]


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/disconnect/", "/accounts/", "/disconnect/a/b", "/publish/x"]
)
def test_a_path_that_is_not_there(api: APIClient, path: str) -> None:
    assert status_and_error(api.get(f"{SOCIAL}{path}")) == (404, "Not found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/connect", "POST"),
        ("GET", "/callback", "POST"),
        ("POST", "/accounts", "GET"),
        ("DELETE", "/accounts", "GET"),
        ("GET", "/disconnect", "POST"),
        ("DELETE", "/disconnect", "POST"),
        ("POST", "/disconnect/1", "DELETE"),
        ("PUT", "/publish", "POST"),
        ("PATCH", "/publish", "POST"),
        ("OPTIONS", "/publish", "POST"),
    ],
)
def test_a_method_that_a_path_does_not_have(
    anonymous: APIClient, method: str, path: str, allowed: str
) -> None:
    answer = anonymous.generic(method, f"{SOCIAL}{path}")
    assert status_and_error(answer) == (405, "Method not allowed")
    assert allowed in answer["Allow"]


@pytest.mark.parametrize("path", ["/connect", "/disconnect", "/publish"])
@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("a=b", "application/x-www-form-urlencoded", (415, "Unsupported media type")),
        ("<a/>", "text/xml", (415, "Unsupported media type")),
        ("x" * (1024 * 1024 + 1), JSON, (413, "Payload too large")),
        ("{", JSON, (400, "Validation failed")),
        ('{"accountId": "a\\u0000"}', JSON, (400, "Validation failed")),
    ],
)
def test_a_body_that_cannot_be_taken(
    api: APIClient, path: str, body: str, content_type: str, expected: tuple[int, str]
) -> None:
    assert status_and_error(api.generic("POST", f"{SOCIAL}{path}", body, content_type)) == expected


ALL = [
    ("POST", "/connect"),
    ("GET", "/accounts"),
    ("POST", "/disconnect"),
    ("DELETE", "/disconnect/1"),
    ("POST", "/publish"),
]


@pytest.mark.parametrize(("method", "path"), ALL)
def test_missing_credentials(anonymous: APIClient, method: str, path: str) -> None:
    answer = anonymous.generic(method, f"{SOCIAL}{path}")
    assert status_and_error(answer) == (401, "Authentication required")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ALL)
def test_an_empty_bucket(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    empty = Decision(allowed=False, limit=5, remaining=0, reset_at=1_800_000_000, retry_after=12)
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: empty)
    answer = api.generic(method, f"{SOCIAL}{path}")
    assert status_and_error(answer) == (429, "Rate limit exceeded")
    assert answer["Retry-After"] == "12"


@pytest.mark.parametrize(("method", "path"), [*ALL, ("POST", "/callback")])
@pytest.mark.parametrize(
    ("raised", "status", "error"),
    [
        (OperationalError("a secret"), 503, "Service unavailable"),
        (ZeroDivisionError("a secret"), 500, "Internal server error"),
    ],
)
def test_a_database_that_is_away_and_a_defect(
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    raised: Exception,
    status: int,
    error: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(views.SocialViewSet, "check_permissions", fail)
    answer = api.generic(method, f"{SOCIAL}{path}")
    if status == 500 and path.startswith("/disconnect"):
        error = "Failed to disconnect"
    assert status_and_error(answer) == (status, error)
    assert "secret" not in answer.content.decode()


def test_a_host_that_is_not_served(api: APIClient) -> None:
    assert (
        status_and_error(api.get(f"{SOCIAL}/accounts", headers={"host": "evil.example"}))[0] == 400
    )


def test_the_documented_errors_match_word_for_word() -> None:
    table = {
        "Validation failed": 400,
        "Invalid account ID format": 400,
        "Account already disconnected": 400,
        "Authentication required": 401,
        "Account not found": 404,
        "Failed to disconnect": 500,
    }
    general = {words: slug for slug, words in errors.GENERAL.items()}
    for words, status in table.items():
        if words in general:
            assert STATUS_CODES[status][0] == general[words]
        else:
            assert errors.OWN[words][0] == status


def test_no_error_reveals_the_platforms_words(api: APIClient, gallery: Gallery) -> None:
    gallery.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant", "why": "xyz"}))
    answer = call_back(api, start(api))
    assert status_and_error(answer) == (502, "Platform error")
    assert "xyz" not in answer.content.decode()
