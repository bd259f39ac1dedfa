"""The OpenID Connect provider: where its endpoints are, and what it answers there."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings

from connections_project.conf.issuers import ASYMMETRIC
from connections_project.conf.single_sign_on import SingleSignOn
from connections_project.identity.external_tokens import is_time, key_server
from connections_project.identity.tokens import ODDITIES
from connections_project.oauth.catalog_values import endpoint
from connections_project.oauth.client import ClientRegistration
from connections_project.oauth.client_authentication import basic
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.json_text import LONGEST_TOKEN
from connections_project.oauth.key_server import KeysUnavailableError, UnknownKeyError
from connections_project.oauth.transport import Request, send

SECONDS_A_CALL = 5.0
METADATA_SECONDS = 300.0


class ProviderUnavailableError(Exception):
    """The provider does not answer, or not as it should."""


class BadCodeError(Exception):
    """The provider refuses the code: it is not its own, not of this sign-in, used, or over."""


class BadIdTokenError(Exception):
    """The ID token is not the provider's, not for us, not of this sign-in, or over."""


@dataclass(frozen=True)
class Metadata:
    """What the provider publishes of itself (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    scopes: str
    takes_basic: bool


_known: dict[str, tuple[float, Metadata]] = {}
_lock = threading.Lock()


def metadata() -> Metadata:
    """Return the provider's metadata, asked for anew every five minutes.

    Raises:
        ProviderUnavailableError: It can't be had.
    """
    issuer = single_sign_on().issuer
    with _lock:
        read_at, known = _known.get(issuer, (float("-inf"), None))
    if known is None or time.monotonic() - read_at > METADATA_SECONDS:
        known = _read(issuer)
        with _lock:
            _known[issuer] = (time.monotonic(), known)
    return known


def single_sign_on() -> SingleSignOn:
    """Return the settings of single sign-on.

    Raises:
        ProviderUnavailableError: It is not set up, which its callers have looked at before.
    """
    if settings.ADMIN_OIDC is None:
        raise ProviderUnavailableError
    return settings.ADMIN_OIDC


def exchange(form: Mapping[str, str]) -> Mapping[str, Any]:
    """Exchange a code for tokens (OpenID Connect Core 1.0, section 3.1.3).

    Raises:
        BadCodeError: It refuses the code.
        ProviderUnavailableError: It does not answer, or refuses us.
    """
    ours, known = single_sign_on(), metadata()
    client = ClientRegistration(ours.client_id, ours.client_secret, ())
    if known.takes_basic:
        return _tokens(Request("POST", known.token_endpoint, headers=basic(client), form=form))
    secret = {"client_id": ours.client_id, "client_secret": ours.client_secret}
    return _tokens(Request("POST", known.token_endpoint, form={**form, **secret}))


def userinfo(access_token: str) -> Mapping[str, Any]:
    """Return what the UserInfo endpoint tells; nothing where there is none (section 5.3)."""
    address = metadata().userinfo_endpoint
    if not address:
        return {}
    return _answer(Request("GET", address, headers={"Authorization": f"Bearer {access_token}"}))


def id_token_claims(id_token: Any, *, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token (section 3.1.3.7).

    Args:
        id_token: As the token endpoint gave it.
        nonce: Of this sign-in.

    Raises:
        BadIdTokenError: It is not what it must be.
        ProviderUnavailableError: The provider's keys can't be had.
    """
    try:
        claims = _decoded(str(id_token))
    except KeysUnavailableError:
        raise ProviderUnavailableError from None
    except (jwt.PyJWTError, UnknownKeyError, *ODDITIES):
        raise BadIdTokenError from None
    if not nonce or claims.get("nonce") != nonce or not _is_for_us(claims):
        raise BadIdTokenError
    if not all(is_time(claims.get(name, 0)) for name in ("exp", "iat", "nbf")):
        raise BadIdTokenError
    return claims


def _is_for_us(claims: dict[str, Any]) -> bool:
    """Whether we are who the token was issued to; one of several audiences must be named as that.

    PyJWT has found us among the audiences.
    """
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    ours = single_sign_on().client_id
    return bool(claims.get("azp", "" if several else ours) == ours)


def _decoded(id_token: str) -> dict[str, Any]:
    if len(id_token) > LONGEST_TOKEN:
        raise BadIdTokenError
    ours, header = single_sign_on(), jwt.get_unverified_header(id_token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ASYMMETRIC or "crit" in header:
        raise BadIdTokenError
    key = key_server(issuer=ours.issuer, jwks_uri="").find(kid, str(algorithm))
    return jwt.decode(
        id_token,
        key,
        algorithms=[str(algorithm)],
        audience=ours.client_id,
        issuer=ours.issuer,
        leeway=settings.CLOCK_LEEWAY,
        options={"require": ["iss", "sub", "aud", "exp", "iat"]},
    )


def _read(issuer: str) -> Metadata:
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    published = _answer(Request("GET", address))
    methods = published.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    offered = published.get("scopes_supported", [])
    try:
        wanted = [one for one in ("openid", "email", "groups") if one == "openid" or one in offered]
        if published["issuer"] != issuer:
            # Section 4.3: another one's metadata would send our secret there.
            raise ProviderUnavailableError
        return Metadata(
            endpoint(published["authorization_endpoint"]),
            endpoint(published["token_endpoint"]),
            endpoint(published.get("userinfo_endpoint", "")),
            " ".join(wanted),
            "client_secret_basic" in methods,
        )
    except (LookupError, TypeError, ValueError):
        raise ProviderUnavailableError from None


def _tokens(request: Request) -> Mapping[str, Any]:
    status, body = _sent(request)
    # RFC 6749, section 5.2: of its errors only this one is about the code.
    if status == 400 and body.get("error") == "invalid_grant":
        raise BadCodeError
    return _good(status, body)


def _answer(request: Request) -> Mapping[str, Any]:
    return _good(*_sent(request))


def _good(status: int, body: Mapping[str, Any]) -> Mapping[str, Any]:
    if status != 200:
        raise ProviderUnavailableError
    return body


def _sent(request: Request) -> tuple[int, Mapping[str, Any]]:
    try:
        answer = send(request, platform="single_sign_on", within=SECONDS_A_CALL)
        body = answer.json()
    except PlatformError:
        raise ProviderUnavailableError from None
    if not isinstance(body, Mapping):
        raise ProviderUnavailableError
    return answer.status, body
