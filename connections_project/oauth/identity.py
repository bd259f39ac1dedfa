"""Whose account a grant is for."""

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from connections_project.oauth.answers import require_living_grant, require_success
from connections_project.oauth.catalog import Platform
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.json_text import load_json
from connections_project.oauth.names import without_controls
from connections_project.oauth.observers import calling
from connections_project.oauth.paths import dig_text
from connections_project.oauth.tokens import ClientRegistration, TokenSet, require_vschar
from connections_project.oauth.transport import Answer, Request, send

# Columns that hold ids and names have this width.
LONGEST_TEXT = 255
# How a host refuses a token that is good at the platform's other one.
NOT_HERE = frozenset({401, 403, 404})
LONGEST_ADDRESS = 2048


@dataclass(frozen=True)
class Identity:
    """A platform's account: its id there and its name for people, None where unknown.

    Args:
        granting_user_id: Who gave the grant, where that isn't the account itself: a YouTube channel
            belongs to a Google user, who may have several.
        picture_url: The account's picture, where the platform shows one under an https address.
    """

    account_id: str | None
    account_name: str | None
    granting_user_id: str | None = None
    picture_url: str | None = None

    @property
    def grantor_id(self) -> str | None:
        return self.granting_user_id or self.account_id


@calling("read")
def fetch(platform: Platform, *, url: str, access_token: str, within: float = 10.0) -> Answer:
    """Read on a user's behalf; where a host refuses, and the platform has another, there.

    Raises:
        DeadGrant: The platform says, in its own way, that the grant is over.
        PlatformError: Among others `refused` with status 401: the access token is no good.
    """
    answer = ask(platform, url=url, access_token=access_token, within=within)
    require_living_grant(answer, platform, at="api")
    return require_success(answer)


def ask(platform: Platform, *, url: str, access_token: str, within: float) -> Answer:
    """Ask an address on a user's behalf, as `fetch` does, and return whatever is answered.

    Raises:
        PlatformError: No answer came.
    """
    ends_at = time.monotonic() + within
    headers = bearer(require_vschar(access_token, platform=platform.slug))
    answer = send(Request("GET", url, headers=headers), platform=platform, within=within)
    if answer.status in NOT_HERE and platform.fallback_api_base:
        request = Request("GET", _at_fallback(platform, url), headers=headers)
        other = send(request, platform=platform, within=ends_at - time.monotonic())
        answer = answer if other.status in NOT_HERE else other
    return answer


def _at_fallback(platform: Platform, url: str) -> str:
    base = urlsplit(platform.fallback_api_base)
    return urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc).geturl()


def fetch_json(
    platform: Platform,
    registration: ClientRegistration,  # noqa: ARG001 - every verb takes who asks whom.
    *,
    url: str,
    access_token: str,
) -> Any:
    """Read JSON on a user's behalf; fractions become Decimal.

    Raises:
        PlatformError: See `fetch`.
    """
    return fetch(platform, url=url, access_token=access_token).json()


@calling("identify")
def identify(platform: Platform, registration: ClientRegistration, *, tokens: TokenSet) -> Identity:
    """Return whose account it is: by the identity endpoint, the token response, or its id_token.

    Raises:
        PlatformError: The endpoint failed, or gave an id that can't be one.
    """
    if platform.identity_endpoint:
        url, access_token = platform.identity_endpoint, tokens.access_token
        document = fetch_json(platform, registration, url=url, access_token=access_token)
        identity = _read(platform, document)
        if identity.account_id is None:
            # Without an id nobody would notice a second connection to the same account.
            raise PlatformError("malformed", platform=platform.slug)
        return replace(identity, granting_user_id=_granting_user(platform, registration, tokens))
    identity = _read(platform, tokens.response)
    if identity.account_id is None:
        identity = _read(platform, _claims(platform, registration, tokens))
    return identity


def granting_user(
    platform: Platform, registration: ClientRegistration, tokens: TokenSet
) -> str | None:
    """Return who gave a grant of which no account is known: a Google user without a channel."""
    if not platform.identity_endpoint:
        return None
    try:
        return _granting_user(platform, registration, tokens)
    except PlatformError:
        return None


def _granting_user(
    platform: Platform, registration: ClientRegistration, tokens: TokenSet
) -> str | None:
    """Return the end user that an id_token names (OpenID Connect Core, section 2), if one came."""
    return _id(platform, dig_text(_claims(platform, registration, tokens), "sub"))


def _read(platform: Platform, document: Any) -> Identity:
    account = read_account(
        platform,
        document,
        id_field=platform.account_id_field,
        name_field=platform.account_name_field,
    )
    picture = platform.account_picture_field
    return replace(account, picture_url=_address(dig_text(document, picture)) if picture else None)


def _address(text: str) -> str | None:
    """Return an https address of printable ASCII (RFC 3986); None for anything else."""
    if not re.fullmatch(r"https://[\x21-\x7e]+", text) or len(text) > LONGEST_ADDRESS:
        return None
    return text


def read_account(platform: Platform, document: Any, *, id_field: str, name_field: str) -> Identity:
    """Read an account's id and name where these dotted paths say.

    Raises:
        PlatformError: `malformed`: an id that can't be one.
    """
    account_id = _id(platform, dig_text(document, id_field))
    name = without_controls(dig_text(document, name_field))[:LONGEST_TEXT]
    return Identity(account_id, name or None)


def with_possible_ids(platform: Platform, identity: Identity) -> Identity:
    """Return what an adapter says.

    Raises:
        PlatformError: `malformed`: an id that can't be one.
    """
    for one in (identity.account_id, identity.granting_user_id):
        _id(platform, one or "")
    return identity


def _id(platform: Platform, found: str) -> str | None:
    # Cutting an id short would make two accounts one.
    if found and (len(found) > LONGEST_TEXT or not found.isprintable()):
        raise PlatformError("malformed", platform=platform.slug)
    return found or None


def _claims(
    platform: Platform, registration: ClientRegistration, tokens: TokenSet
) -> Mapping[str, Any]:
    """Read the claims of an id_token.

    It came from the token endpoint itself, over TLS, which may stand in for checking its signature
    (OpenID Connect Core, 3.1.3.7, item 6). Its audience still has to be us (item 3).
    """
    # One that nobody asked for is not what that section speaks of: it is passed over.
    id_token = tokens.response.get("id_token") if "openid" in platform.scopes else None
    claims = _payload(id_token) if isinstance(id_token, str) else None
    if not isinstance(claims, dict):
        return {}
    audience = claims.get("aud")
    if registration.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise PlatformError("malformed", platform=platform.slug)
    return claims


def _payload(id_token: str) -> Any:
    """Decode the middle part of a JWT (RFC 7519); None if there is none."""
    try:
        part = id_token.split(".")[1]
        return load_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError, RecursionError):
        return None
