"""Throttles that count for whoever is signed in."""

from typing import Any

from rest_framework.request import Request

from connections_project.api.rate_limits import API_READ, API_WRITE
from connections_project.api.throttling import TokenBucketThrottle, UnauthenticatedThrottle
from connections_project.identity.principals import principal_of


class PrincipalThrottle(TokenBucketThrottle):
    """Counts for whoever is signed in."""

    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - for those derived.
        return str(principal_of(request).pk)


class SignInThrottle(UnauthenticatedThrottle):
    """Counts refused sign-ins by address, apart from the refusals of all other calls."""

    def bucket_key(self, request: Request, view: Any) -> str:
        return f"sign-in {super().bucket_key(request, view)}"


class ReadThrottle(PrincipalThrottle):
    policy = API_READ


class WriteThrottle(PrincipalThrottle):
    policy = API_WRITE
