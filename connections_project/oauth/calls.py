"""Calls of a platform's own API on a user's behalf."""

from urllib.parse import urljoin

from connections_project.oauth.answers import require_living_grant, require_success
from connections_project.oauth.catalog import Platform
from connections_project.oauth.messages import Answer, Request
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


def call(platform: Platform, request: Request, *, within: float) -> Answer:
    """Make a call and return its answer if it is a success.

    Args:
        request: With the Bearer that lets us in.
        within: Seconds for the whole call.

    Raises:
        DeadGrant: The platform says, in its own way, that the grant is over.
        PlatformError: Any other failure.
    """
    answer = send(request, platform=platform, within=within)
    require_living_grant(answer, platform, at="api")
    return require_success(answer)
