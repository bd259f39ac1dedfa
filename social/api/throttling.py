"""The throttles of this app's views: a bucket is the key's, or the principal's."""

from typing import Any

from rest_framework.request import Request

from connections_project.api.rate_limits import SOCIAL_READ, SOCIAL_WRITE
from connections_project.api.throttling import TokenBucketThrottle
from connections_project.identity.callers import caller_of


class CallerThrottle(TokenBucketThrottle):
    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - as its base.
        return str(caller_of(request).principal_id)


class ReadThrottle(CallerThrottle):
    policy = SOCIAL_READ


class WriteThrottle(CallerThrottle):
    policy = SOCIAL_WRITE
