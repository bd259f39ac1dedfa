"""The tokens themselves: what they bear, and what is taken for one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from connections_project.core import clock
from connections_project.core.parsing import parse_uuid
from connections_project.identity.clock_leads import was_issued_by
from connections_project.identity.models import SessionFamily, User
from connections_project.identity.verified_tokens import VerifiedTokens

# What the libraries let through beyond their own errors: an `exp` of 400 digits overflows a date,
# a header of a thousand brackets exhausts the stack, and the system takes no year beyond its own.
ODDITIES = (ValueError, TypeError, OverflowError, RecursionError, OSError)


_access_tokens = VerifiedTokens()


class BadTokenError(Exception):
    """Not a token of ours, or one that is no longer good."""


def access_token(user: User) -> str:
    """Return a token of `user` that is valid for ACCESS_TOKEN_SECONDS."""
    token, now = AccessToken(), clock.now()
    token.set_exp(from_time=now, lifetime=timedelta(seconds=settings.ACCESS_TOKEN_SECONDS))
    return _signed(token, user, now)


def refresh_token(user: User, family: SessionFamily) -> str:
    """Return the newest refresh token of `family`, by the family's jti and end."""
    token = RefreshToken()
    token.payload |= {"jti": str(family.current_jti), "family": str(family.pk)}
    token.payload["exp"] = int(family.expires_at.timestamp())
    return _signed(token, user, clock.now())


def _signed(token: Token, user: User, now: datetime) -> str:
    token.set_iat(at_time=now)
    token.payload |= {
        "principal_id": str(user.pk),
        "principal_type": user.principal_type,
        "fingerprint": _fingerprint(user),
    }
    return str(token)


def _fingerprint(user: User) -> str:
    """Return what changes with the password: a keyed digest, which reveals nothing of it."""
    return user.get_session_auth_hash()[:32]


def read(kind: type[Token], raw: str | bytes) -> dict[str, Any]:
    """Return the claims of a token whose signature, type and end are good.

    Raises:
        BadTokenError: They are not.
    """
    claims = _claims(kind, raw)
    try:
        is_good = _is_good(claims, now=clock.now())
    except ODDITIES as error:
        raise BadTokenError from error
    if not is_good:
        raise BadTokenError
    return claims


def _is_good(claims: dict[str, Any], *, now: datetime) -> bool:
    """Whether a token's times hold; of an earlier release's, hosts' clocks have written them."""
    issued_at = datetime.fromtimestamp(claims.get("iat", 0), UTC)
    is_issued = issued_at - timedelta(seconds=settings.CLOCK_LEEWAY) <= now
    return is_issued and now < datetime.fromtimestamp(claims["exp"], UTC)


def _claims(kind: type[Token], raw: str | bytes) -> dict[str, Any]:
    """Return the claims of a token that was signed here; an access token comes with each call."""
    if kind is AccessToken and isinstance(raw, bytes):
        return _access_tokens.read(raw, lambda text: read_even_if_expired(kind, text))
    return read_even_if_expired(kind, raw)


def read_even_if_expired(kind: type[Token], raw: str | bytes) -> dict[str, Any]:
    """Return the claims of a token that was signed here, whatever its times: the library would
    compare them with the host's clock.

    Raises:
        BadTokenError: It was not signed here, or is of another type.
    """
    options: Any = {"verify_exp": False, "verify_iat": False, "require": ["exp", "jti"]}
    try:
        claims: dict[str, Any] = jwt.decode(
            raw, settings.SECRET_KEY, algorithms=["HS256"], options=options
        )
    except (jwt.InvalidTokenError, *ODDITIES) as error:
        raise BadTokenError from error
    if claims.get("token_type") != kind.token_type:
        raise BadTokenError
    return claims


def principal_of(claims: dict[str, Any]) -> User:
    """Find, by one query, the active principal for whom a token speaks.

    Raises:
        BadTokenError: There is none, or the password has changed since.
    """
    user = User.objects.active_principal(claimed_id(claims, "principal_id"))
    if user is None:
        raise BadTokenError
    if not settings.LOCAL_LOGIN and not user.is_staff:
        raise BadTokenError
    # The signature vouches for what is claimed, so that comparing in plain time reveals nothing.
    if claims.get("fingerprint") != _fingerprint(user):
        raise BadTokenError
    if claims.get("principal_type") != user.principal_type:
        raise BadTokenError
    return user


def require_open_sessions(user: User, claims: dict[str, Any]) -> None:
    """Refuse an issuer's token that was issued before the principal's sessions were ended, or just
    then. Ours bear a fingerprint, which that changes.

    Raises:
        BadTokenError: It was, or does not say when it was issued.
    """
    if user.sessions_ended_at is None:
        return
    issued_at = claims.get("iat")
    if not isinstance(issued_at, int | float):
        raise BadTokenError
    if was_issued_by(user.sessions_ended_at, user, issued_at):
        raise BadTokenError


def claimed_id(claims: dict[str, Any], name: str) -> Any:
    """Return the identifier that a claim holds; None where it holds anything else."""
    value = claims.get(name)
    return parse_uuid(value) if isinstance(value, str) else None
