"""Paths that fail in every way, under each of three error formats, and outside of them."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.errors import ApiException, error_of_status
from connections_project.api.rate_limits import Policy
from connections_project.api.throttling import TokenBucketThrottle
from connections_project.api.views import ApiViewSet
from connections_project.core.health import healthz, readyz
from connections_project.middleware.tracing import current_trace_id
from connections_project.middleware.trusted_proxies import client_address

SECRET = "hunter2-in-an-exception"
TIGHT = Policy("TIGHT", burst=2, per_minute=2)


class ForeseenError(Exception):
    """An app's own error, which the fake renderers translate."""


class Bearer(BaseAuthentication):
    """Knows the bearers `good` and `banned`, each a principal."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if token not in {"good", "banned"}:
            raise AuthenticationFailed
        return SimpleNamespace(pk=token, is_authenticated=True), None


class NotBanned(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.pk != "banned"


class NoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=10)
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)


class TightThrottle(TokenBucketThrottle):
    policy = TIGHT

    def bucket_key(self, request: Request, view: Any) -> str:
        return str(request.user.pk)


class Limited(ApiViewSet):
    """Needs credentials, and allows two requests at once."""

    authentication_classes = (Bearer,)
    permission_classes = (IsAuthenticated, NotBanned)

    throttle_classes = (TightThrottle,)

    def list(self, request: Request) -> Response:
        return Response({"ok": True})

    def create(self, request: Request) -> Response:
        note = NoteSerializer(data=request.data)
        note.is_valid(raise_exception=True)
        return Response(note.validated_data, status=201)

    def fail(self, request: Request) -> Response:
        raise ZeroDivisionError(SECRET)


class Forbidding(Limited):
    unauthenticated_error = error_of_status(403)


class Open(ApiViewSet):
    """Needs nothing, and fails as its path says."""

    authentication_classes = ()
    permission_classes = ()

    def list(self, request: Request, kind: str = "") -> Response:
        if kind:
            fail(kind)
        return Response({"trace_id": current_trace_id()})

    def create(self, request: Request) -> Response:
        note = NoteSerializer(data=request.data)
        note.is_valid(raise_exception=True)
        return Response(note.validated_data, status=201)


def fail(kind: str) -> None:
    raise {
        "unforeseen": ZeroDivisionError(SECRET),
        "foreseen": ForeseenError(SECRET),
        "http404": Http404(SECRET),
        "denied": PermissionDenied(SECRET),
        "suspicious": SuspiciousOperation(SECRET),
        "database": OperationalError(SECRET),
        "fault": ApiException(error_of_status(409, "It is taken.")),
        "challenged": ApiException(error_of_status(401)),
        "wrong-password": AuthenticationFailed(SECRET),
    }[kind]


def plain(request: HttpRequest, kind: str) -> HttpResponse:
    """Fail outside DRF."""
    if kind == "method":
        return HttpResponseNotAllowed(["GET", "PUT"])
    if kind == "busy":
        return HttpResponse("<h1>busy</h1>", status=503, headers={"Retry-After": "7"})
    if kind == "body":
        return HttpResponse(len(request.body))
    fail(kind)
    return HttpResponse()


def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"address": client_address(request), "scheme": request.scheme})


def head(request: HttpRequest) -> JsonResponse:
    """Answer with what of the request's head has become the environ."""
    metadata = {name: value for name, value in request.META.items() if isinstance(value, str)}
    return JsonResponse({"path": request.path_info, **metadata})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Answer part by part; `?breaks` fails on the way, `?large` is 100 MiB."""

    def parts() -> Iterator[bytes]:
        made.clear()
        for _ in range(1600 if "large" in request.GET else 0):
            made.append(64 * 1024)
            yield bytes(made[-1])
        for number in range(1000):
            if number == 500 and "breaks" in request.GET:
                raise ZeroDivisionError(SECRET)
            yield b"%d\n" % number

    answer = StreamingHttpResponse(parts())
    answer.incomplete_mark = b"\nINCOMPLETE\n"  # type: ignore[attr-defined]
    return answer


# Bytes of the large answer that have been made.
made: list[int] = []


def many_bytes(request: HttpRequest) -> HttpResponse:
    return HttpResponse(bytes(int(request.GET["mib"]) * 1024 * 1024))


def slow(_request: HttpRequest) -> HttpResponse:
    time.sleep(4)
    return HttpResponse()


def made_so_far(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(sum(made))


LISTED: dict[str, Any] = {"get": "list", "post": "create"}


def below(prefix: str) -> list[URLPattern]:
    return [
        path(f"{prefix}/open", Open.as_view(LISTED)),
        path(f"{prefix}/open/<str:kind>", Open.as_view({"get": "list"})),
        path(f"{prefix}/plain/<str:kind>", plain),
        path(f"{prefix}/limited", Limited.as_view(LISTED)),
        path(f"{prefix}/limited/fail", Limited.as_view({"get": "fail"})),
        path(f"{prefix}/forbidding", Forbidding.as_view(LISTED)),
    ]


urlpatterns = [
    *below("api"),
    *below("api/fake"),
    *below("api/fake/inner"),
    path("who", who),
    path("head", head),
    path("stream", stream),
    path("made", made_so_far),
    path("bytes", many_bytes),
    path("slow", slow),
    path("healthz", healthz),
    path("readyz", readyz),
    path("outside/<str:kind>", plain),
]
