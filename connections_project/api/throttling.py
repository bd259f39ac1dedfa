"""What a request drew from its bucket, and the headers that say so."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from connections_project.api.errors import ApiException, rate_limit_exceeded
from connections_project.api.rate_limits import Decision, Policy, consume

_META_KEY = "connections_project.rate_limit"


def throttle(request: HttpRequest, policy: Policy, key: str) -> None:
    """Take a token for this request, and remember what the bucket said.

    Raises:
        FaultError: 429 where the bucket is empty.
    """
    decision = consume(policy, key)
    request.META[_META_KEY] = decision
    if decision is not None and not decision.allowed:
        raise ApiException(rate_limit_exceeded(retry_after=decision.retry_after))


def set_rate_limit_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the `X-RateLimit` headers, if a bucket was asked for this request and answered."""
    decision: Decision | None = request.META.get(_META_KEY)
    if decision is not None:
        response.headers["X-RateLimit-Limit"] = str(decision.limit)
        response.headers["X-RateLimit-Remaining"] = str(decision.remaining)
        response.headers["X-RateLimit-Reset"] = str(decision.reset_at)
