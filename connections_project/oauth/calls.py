"""Calls of a platform's own API on a user's behalf."""

from urllib.parse import urljoin

from connections_project.oauth.answers import require_living_grant, require_success
from connections_project.oauth.catalog import Platform
from connections_project.oauth.transport import Answer, Request, send


def api_url(platform: Platform, path: str) -> str:
    """Give an address of the platform's API, which is where it tells whose account it is.

    So the catalogue alone says where a platform is, also for one instance of many.

    Args:
        platform: With an `identity_endpoint`.
        path: From the root on, such as `/api/v1/statuses`.
    """
    return urljoin(platform.identity_endpoint, path)


def call(platform: Platform, request: Request, *, within: float) -> Answer:
    """Make a call and give its answer if it is a success.

    Args:
        platform: Whose API it is.
        request: With the Bearer that lets us in.
        within: Seconds for the whole call.

    Raises:
        DeadGrant: The platform says, in its own way, that the grant is over.
        PlatformError: Any other failure.
    """
    answer = send(request, platform=platform.slug, within=within)
    require_living_grant(answer, platform)
    return require_success(answer)
