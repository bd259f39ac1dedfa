"""A small site that fails in every way, with two error formats beside problem details."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client

from connections_project.api import error_routing, rate_limits
from connections_project.api.errors import ApiError
from connections_project.api.token_buckets import MemoryBuckets, now_in_microseconds
from tests.support.failing_site import ForeseenError


class FakeRenderer:
    """Renders `{key: {"code", "detail", "fields"}}`, so that a test sees who rendered."""

    def __init__(self, key: str) -> None:
        self.key = key

    def translate(self, exc: Exception) -> ApiError | None:
        if isinstance(exc, ForeseenError):
            return ApiError(418, f"{self.key}_foreseen", "We knew.", headers={"Retry-After": "3"})
        return None

    def render(self, request: HttpRequest, fault: ApiError) -> HttpResponse:
        fields = [one.field for one in fault.fields]
        result = {"code": fault.code, "detail": fault.detail, "fields": fields}
        return JsonResponse({self.key: result}, status=fault.status)


@pytest.fixture
def formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register three formats: `/api` problems, `/api/fake` and, below it, `/api/fake/inner`."""
    monkeypatch.setattr(error_routing, "_renderers", dict(error_routing._renderers))
    error_routing.register("/api/fake", FakeRenderer("fake"))
    error_routing.register("/api/fake/inner/", FakeRenderer("inner"))


@pytest.fixture
def site(formats: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of the small site that gets a 500 instead of its exception.

    Its buckets' clock stands still, since a slow machine would fill them between two requests.
    """
    settings.ROOT_URLCONF = "tests.support.failing_site"
    started = now_in_microseconds()
    buckets = MemoryBuckets(clock=lambda: started)
    real, redis_url = rate_limits._buckets, settings.REDIS_URL
    # A test that names another Redis is about that one.
    monkeypatch.setattr(
        rate_limits,
        "_buckets",
        lambda: buckets if redis_url == settings.REDIS_URL else real(),
    )
    return Client(raise_request_exception=False)
