"""Throttles that take from token buckets, and the headers that show what is left."""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from connections_project.api.errors import ApiException, rate_limit_exceeded
from connections_project.api.rate_limits import UNAUTHENTICATED, Decision, Policy, consume
from connections_project.middleware.trusted_proxies import client_network

_META_KEY = "connections_project.rate_limit"


def throttle(request: HttpRequest, policy: Policy, key: str) -> None:
    """Consume a token for a request outside DRF, and keep the decision for its headers.

    Raises:
        ApiException: 429 where the bucket is empty.
    """
    decision = _take(request, policy, key)
    if decision is not None and not decision.allowed:
        raise ApiException(rate_limit_exceeded(retry_after=decision.retry_after))


def _take(request: HttpRequest, policy: Policy, key: str) -> Decision | None:
    request.META[_META_KEY] = decision = consume(policy, key)
    return decision


class TokenBucketThrottle(BaseThrottle):
    """Takes one token of a policy's bucket; lets everything pass while no bucket answers."""

    policy: ClassVar[Policy]
    _decision: Decision | None = None

    def bucket_key(self, request: Request, view: Any) -> str:
        """Return whose bucket it is.

        It may look at the query, the path and `request.data`, and must itself raise nothing that
        should still show the headers.
        """
        raise NotImplementedError

    def policy_of(self, request: Request, view: Any) -> Policy:  # noqa: ARG002 - for those derived.
        """Return whose limit holds, where that depends on the request."""
        return self.policy

    def allow_request(self, request: Request, view: Any) -> bool:
        key = self.bucket_key(request, view)
        self._decision = _take(request._request, self.policy_of(request, view), key)
        return self._decision is None or self._decision.allowed

    def wait(self) -> int:
        """Return the whole seconds until one more request is allowed."""
        return self._decision.retry_after if self._decision else 0


class UnauthenticatedThrottle(TokenBucketThrottle):
    """Counts what is refused for want of credentials, by address."""

    policy = UNAUTHENTICATED

    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - as its base.
        return client_network(request._request)


def set_rate_limit_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the `X-RateLimit` headers, if a bucket was asked for this request and answered."""
    decision: Decision | None = request.META.get(_META_KEY)
    if decision is not None:
        response.headers["X-RateLimit-Limit"] = str(decision.limit)
        response.headers["X-RateLimit-Remaining"] = str(decision.remaining)
        response.headers["X-RateLimit-Reset"] = str(decision.reset_at)
