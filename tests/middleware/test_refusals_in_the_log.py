"""What a caller got wrong is one line of the log, and no error, at every address."""

import io
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from connections_project.core.background_log import BackgroundHandler
from connections_project.core.logs import JsonFormatter
from connections_project.identity.models import User
from tests.admin.conftest import page

__all__ = ["page"]
pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\nx\r\n'
BODIES: dict[str, tuple[str, bytes]] = {
    "fields": (FORM, b"&".join(b"a%d=" % number for number in range(101))),
    "parts": (PARTS, b"".join(PART % b"a" for _ in range(101)) + b"--b--\r\n"),
    "files": (PARTS, (PART.replace(b'"%s"', b'"a"; filename="f"') * 150) + b"--b--\r\n"),
    "open multipart": (PARTS, PART % b"a"),
    "no boundary": ("multipart/form-data", b"x"),
    "NUL": (FORM, b"a=%00"),
    "too large": ("application/json", b"x" * (1024 * 1024 + 1)),
}
QUERIES = ("x=%00", "password__startswith=a", "a%0Ab%1B%E2%80%AE__x=1", "status=none")
HEADERS = (
    {"Host": "evil.example.com"},
    {"Host": "a" * 50_000},
    {"Host": "a\x1bb"},
    {"Cookie": 'a="\\000"'},
    {"Origin": "https://evil.example.com"},
    {"Content-Length": "many"},
)


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Return what the service's own handler has written since."""
    handlers = logging.getLogger("django").handlers
    (handler,) = [one for one in handlers if isinstance(one, BackgroundHandler)]
    written = io.StringIO()
    monkeypatch.setattr(handler, "formatter", JsonFormatter())
    before = handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    handler.setStream(before)


@pytest.fixture
def callers(page: Client, sign_in: Any, owner: User) -> list[Client]:
    strict = Client(raise_request_exception=False, enforce_csrf_checks=True)
    page.raise_request_exception = False
    return [strict, page, sign_in(owner)]


def addresses(prefix: str, patterns: Any) -> Iterator[str]:
    for one in patterns:
        route = prefix + re.sub(r"^\^|\$$", "", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from addresses(route, one.url_patterns)
        elif isinstance(one, URLPattern):
            yield re.sub(r"<[^>]*>|\(\?P.*?\)", str(uuid.UUID(int=7)), route)


def everywhere() -> list[str]:
    found = sorted(set(addresses("/", get_resolver().url_patterns)))
    assert len(found) > 100
    return [*found, "/nowhere", "/api/nowhere"]


def assert_harmless(lines: list[dict[str, Any]]) -> None:
    assert lines
    assert {one["level"] for one in lines} <= {"INFO", "WARNING"}
    assert not [one for one in lines if "exception" in one]
    assert not [one for one in lines if re.search("[\x00-\x1f\u202e]", one["message"])]
    assert max(len(one["message"]) for one in lines) < 1000


@pytest.mark.django_db(transaction=True)
def test_wrong_queries_and_heads(callers: list[Client], lines: Lines) -> None:
    for caller in callers:
        for path in everywhere():
            for query in QUERIES:
                caller.get(f"{path}?{query}")
        for path in ("/sign-in", "/admin/", "/readyz", "/api/v1/me", "/scim/v2/Users", "/nowhere"):
            for headers in HEADERS:
                caller.post(path, headers=headers)
    assert_harmless(lines())


@pytest.mark.parametrize("body", BODIES)
def test_wrong_bodies(
    callers: list[Client], lines: Lines, body: str, settings: LazySettings
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
    kind, content = BODIES[body]
    for caller in callers:
        for path in everywhere():
            caller.post(path, content, content_type=kind)
    assert_harmless(lines())
