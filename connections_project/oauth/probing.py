"""Whether a token is still good: what an API says to it, or token introspection (RFC 7662).

None stands for "it can't be told". A token is never spent to find out.
"""

from connections_project.oauth.answers import failure_of, require_success, verdict
from connections_project.oauth.catalog import Platform
from connections_project.oauth.client_authentication import authenticated_form
from connections_project.oauth.identity import ask
from connections_project.oauth.observers import calling
from connections_project.oauth.paths import dig, dig_text
from connections_project.oauth.tokens import ClientRegistration, require_vschar
from connections_project.oauth.transport import Answer, send


@calling("verify")
def accepts(platform: Platform, *, access_token: str, within: float) -> bool | None:
    """Whether the identity endpoint still lets an access token in.

    Raises:
        PlatformError: A fault, which tells nothing of the token.
    """
    url = platform.identity_endpoint
    answer = ask(platform, url=url, access_token=access_token, within=within)
    return is_accepted(answer, platform)


def is_accepted(answer: Answer, platform: Platform) -> bool | None:
    """Whether an answer of the identity endpoint means that the token is good.

    Raises:
        PlatformError: A fault of the platform, or a rate limit.
    """
    becomes = verdict(answer, platform, at="api")
    if becomes == "unchanged":
        return None
    if becomes is not None:
        return False
    if failure_of(answer) == "refused":
        # RFC 6750, section 3.1. A 403 refuses what was asked for, and not the token.
        return False if answer.status == 401 else None
    document = require_success(answer).json()
    return True if dig_text(document, platform.account_id_field) else None


@calling("verify")
def introspect(
    platform: Platform, registration: ClientRegistration, *, token: str, hint: str, within: float
) -> bool | None:
    """Whether a token is active (RFC 7662, section 2.2).

    Args:
        token: An access or a refresh token.
        hint: "access_token" or "refresh_token".
        within: Seconds for the whole call.

    Raises:
        PlatformError: A refusal or a fault, which tells nothing of the token.
    """
    form = {"token": require_vschar(token, platform=platform.slug), "token_type_hint": hint}
    request = authenticated_form(platform, registration, url=platform.introspects_at, form=form)
    answer = require_success(send(request, platform=platform, within=within))
    active = dig(answer.json(), "active")
    return active if isinstance(active, bool) else None
