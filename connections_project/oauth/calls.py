"""Calls of a platform's own API on a user's behalf."""

import math
import re
import time
from urllib.parse import urljoin

from connections_project.oauth.answers import require_living_grant, require_success
from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.messages import LONGEST_RETRY_AFTER, Answer, Request
from connections_project.oauth.transport import send


def api_url(platform: Platform, path: str) -> str:
    """Return an address of the platform's API, beside its identity endpoint.

    So the catalogue alone says where a platform is, also for one instance of many.

    Args:
        platform: Its `api_base` says so first; without an `identity_endpoint` either, its API is
            where it gives out tokens.
        path: From the root on, such as `/api/v1/statuses`.
    """
    at = platform.api_base or platform.identity_endpoint or platform.token_endpoint
    return urljoin(at, path)


def call(
    platform: Platform, request: Request, *, within: float, reset_header: str | None = None
) -> Answer:
    """Make a call and return its answer if it is a success.

    Args:
        platform: Whose API it is.
        request: With the Bearer that lets us in.
        within: Seconds for the whole call.
        reset_header: Where a 429 says when it may be asked again, in seconds since 1970, if the
            platform has such a header beside or in place of Retry-After.

    Raises:
        DeadGrant: The platform says, in its own way, that the grant is over.
        PlatformError: Any other failure.
    """
    answer = send(request, platform=platform, within=within)
    require_living_grant(answer, platform, at="api")
    try:
        return require_success(answer)
    except PlatformError as error:
        if error.code == "rate_limited" and error.retry_after is None and reset_header:
            error.retry_after = _seconds_until(answer.headers.get(reset_header))
        raise


def _seconds_until(moment: str | None) -> int | None:
    if moment is None or not re.fullmatch("[0-9]{1,12}", moment):
        return None
    return max(0, min(math.ceil(int(moment) - time.time()), LONGEST_RETRY_AFTER))
