"""A small site that fails in every way, with two error formats beside problem details."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client

from connections_project.api import error_routing
from connections_project.api.errors import ApiError
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
def site(formats: None, still_buckets: None, settings: Any) -> Client:
    """A client of the small site that gets a 500 instead of its exception."""
    settings.ROOT_URLCONF = "tests.support.failing_site"
    return Client(raise_request_exception=False)
