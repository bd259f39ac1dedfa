"""The Graph API, as the adapters of Meta's platforms share it.

Its address is in the catalogue: beside `identity_endpoint`, which ends in `/me?…`.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connections_project.oauth.answers import require_living_grant, require_success, says_dead_token
from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, Identity, TokenSet
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.identity import read_account
from connections_project.oauth.observers import calling
from connections_project.oauth.token_answers import ask_for_tokens, read_tokens
from connections_project.oauth.tokens import require_vschar
from connections_project.oauth.transport import Answer, Request, send
from connections_project.platforms.registry import Upstream

CALL_SECONDS = 10.0
# Long-lived tokens live "about 60 days" by Meta's documents; some answers leave their lifetime out.
SIXTY_DAYS = 60 * 24 * 3600


def node_url(platform: Platform, path: str) -> str:
    """Return the address of a node of the platform's Graph API, such as `me/accounts`."""
    base, _, _ = platform.identity_endpoint.partition("/me")
    return f"{base}/{path}"


def proof(registration: ClientRegistration, access_token: str) -> dict[str, str]:
    """Prove that a call comes from our server, and not from whoever stole the token.

    https://developers.facebook.com/docs/graph-api/guides/secure-requests
    """
    key, message = registration.client_secret.encode(), access_token.encode()
    return {"appsecret_proof": hmac.new(key, message, hashlib.sha256).hexdigest()}


@calling("exchange")
def exchange(
    platform: Platform, *, url: str, parameters: Mapping[str, str], within: float
) -> TokenSet:
    """Exchange a token for a long-lived one, or a long-lived one for a fresher one.

    Args:
        parameters: What it wants to know; documented as a query, secrets included.
        within: Seconds for the whole call.

    Raises:
        DeadGrant: The token can't be exchanged any more.
        PlatformError: Any other failure.
    """
    request = Request("GET", with_query(url, parameters))
    answer = ask_for_tokens(request, platform=platform, within=within)
    require_living_grant(answer, platform, at="token")
    return read_tokens(answer)


@calling("read")
def read(
    platform: Platform, registration: ClientRegistration, *, url: str, access_token: str
) -> Any:
    """Read a node on a user's behalf.

    Raises:
        PlatformError: It can't be had.
    """
    token = require_vschar(access_token, platform=platform.slug)
    request = Request("GET", with_query(url, proof(registration, token)), headers=bearer(token))
    return require_success(send(request, platform=platform, within=CALL_SECONDS)).json()


@calling("identify")
def identify(upstream: Upstream, access_token: str) -> Identity:
    """Return whose token it is.

    Raises:
        PlatformError: It can't be had, or `malformed`: nobody's.
    """
    platform = upstream.platform
    url = platform.identity_endpoint
    document = read(platform, upstream.registration, url=url, access_token=access_token)
    id_field, name_field = platform.account_id_field, platform.account_name_field
    identity = read_account(platform, document, id_field=id_field, name_field=name_field)
    if identity.account_id is None:
        raise PlatformError("malformed", platform=platform.slug)
    return identity


def probe(upstream: Upstream, access_token: str, within: float) -> Answer:
    """Ask whose token it is, as the app that has it, and return what is answered."""
    platform = upstream.platform
    token = require_vschar(access_token, platform=platform.slug)
    url = with_query(platform.identity_endpoint, proof(upstream.registration, token))
    return send(Request("GET", url, headers=bearer(token)), platform=platform, within=within)


def revoke_permissions(upstream: Upstream, tokens: TokenSet, within: float) -> None:
    """Revoke all permissions that a user gave to the app, as the app itself.

    `DELETE /{user-id}/permissions` is allowed to a user's or the app's token; the app's doesn't run
    out. https://developers.facebook.com/docs/facebook-login/guides/permissions/request-revoke

    Raises:
        PlatformError: It may still stand.
    """
    platform, registration = upstream.platform, upstream.registration
    if tokens.user_id is None or not tokens.user_id.isalnum():
        raise PlatformError("refused", platform=platform.slug)
    app_token = f"{registration.client_id}|{registration.client_secret}"
    url = node_url(platform, f"{tokens.user_id}/permissions")
    request = Request("DELETE", url, headers=bearer(app_token))
    answer = send(request, platform=platform, within=within)
    if platform.revocation and says_dead_token(answer, platform.revocation):
        return
    document = require_success(answer).json()
    if document is not True and not (isinstance(document, dict) and document.get("success")):
        raise PlatformError("malformed", platform=platform.slug)


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to an address that may have some."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | dict(parameters)
    return urlunsplit(parts._replace(query=urlencode(query)))
