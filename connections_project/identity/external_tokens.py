"""Access tokens of external issuers (RFC 9068): verified, and whom they speak for."""

import base64
from functools import cache
from typing import Any, TypedDict

import jwt
from django.conf import settings

from connections_project.api.parsers import UNSTORABLE
from connections_project.conf.issuers import Issuer
from connections_project.identity.clock_leads import note_lead
from connections_project.identity.fields import claimed_email
from connections_project.identity.models import PrincipalType, User
from connections_project.identity.provisioning import ForgottenSubjectError, follow, provision
from connections_project.identity.tokens import ODDITIES, BadTokenError, require_open_sessions
from connections_project.oauth.json_text import load_json
from connections_project.oauth.key_server import KeyServer, UnknownKeyError
from connections_project.oauth.waiters import Waiters

# RFC 9068, section 4, and RFC 7515, section 4.1.9: an ID token's "JWT" is what many issuers write.
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
LONGEST_SUBJECT = 255


class PrincipalClaims(TypedDict):
    """What a token says of its principal beside who it is."""

    email: str | None
    principal_type: PrincipalType


def claimed_issuer(raw: bytes) -> str | None:
    """Return the `iss` that a token claims, unverified; None where it claims none, as ours do."""
    try:
        payload = raw.split(b".")[1]
        claims = load_json(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        claimed = claims["iss"]
    except (IndexError, KeyError, *ODDITIES):
        return None
    return claimed if isinstance(claimed, str) else ""


def principal_of(raw: bytes, *, issuer: str, address: str) -> tuple[User, dict[str, Any]]:
    """Return the principal for whom an issuer's token speaks, and the token's claims.

    Whoever comes for the first time is provisioned; everybody else costs one query.

    Args:
        issuer: What it claims as its `iss`.

    Raises:
        BadTokenError: The issuer is unknown, anything about the token is wrong, or the principal
            is deactivated, forgotten, or had its sessions ended since.
        KeysUnavailableError: The issuer's keys can't be had.
    """
    known = settings.IDENTITY.issuers.get(issuer)
    if known is None:
        raise BadTokenError
    claims = _verified(raw, known)
    return _principal(known, claims, address), claims


def key_server(*, issuer: str, jwks_uri: str) -> KeyServer:
    """Return the one keeper of an issuer's keys in this process."""
    fresh, kept = settings.ISSUER_KEYS_SECONDS, settings.ISSUER_KEYS_KEEP_SECONDS
    return _key_server(issuer, jwks_uri, fresh, kept, _waiters(settings.WEB_THREADS))


_key_server = cache(KeyServer)


@cache
def _waiters(threads: int) -> Waiters:
    """Leave a quarter of the threads to those who wait for no issuer, whatever many of them do."""
    return Waiters(most=max(1, threads * 3 // 4), most_for_one=max(1, threads // 2))


def _verified(raw: bytes, issuer: Issuer) -> dict[str, Any]:
    try:
        algorithm, kid = _named_key(jwt.get_unverified_header(raw), issuer)
        server = key_server(issuer=issuer.issuer, jwks_uri=issuer.jwks_uri)
        claims: dict[str, Any] = jwt.decode(
            raw,
            server.find(kid, algorithm),
            algorithms=[algorithm],
            audience=issuer.audiences,
            issuer=issuer.issuer,
            leeway=issuer.leeway_seconds,
            options={"require": ["exp", "iat"], "verify_sub": False, "verify_jti": False},
        )
    except (jwt.PyJWTError, UnknownKeyError, *ODDITIES) as error:
        raise BadTokenError from error
    if not all(is_time(claims.get(name, 0)) for name in ("exp", "iat", "nbf")):
        raise BadTokenError
    return claims


def _named_key(header: dict[str, Any], issuer: Issuer) -> tuple[str, str | None]:
    """Return `alg` and `kid` of a header that asks for nothing that we don't do."""
    algorithm, kid = header.get("alg"), header.get("kid")
    kind = header.get("typ", "jwt")
    if algorithm not in issuer.algorithms or not isinstance(kind, str) or kind.lower() not in TYPES:
        raise BadTokenError
    # RFC 7515, section 4.1.11: what must be understood and isn't.
    if "crit" in header or not isinstance(kid, str | None):
        raise BadTokenError
    return str(algorithm), kid


def is_time(value: Any) -> bool:
    """Whether a claim is a NumericDate (RFC 7519, section 2) that the calendar holds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Infinities and NaN fail these too; 400 digits would overflow whatever makes a float of them.
    return is_number and 0 <= value < 253_402_300_800


def _principal(issuer: Issuer, claims: dict[str, Any], address: str) -> User:
    subject = _text(claims.get(issuer.subject_claim), LONGEST_SUBJECT)
    if subject is None:
        raise BadTokenError
    claimed: PrincipalClaims = {
        "email": claimed_email(claims.get(issuer.email_claim)),
        "principal_type": _principal_type(issuer, claims),
    }
    user = User.objects.filter(issuer=issuer.issuer, subject=subject).first()
    if user is None:
        user = _provisioned(issuer, subject, claims, address, claimed)
    if not user.is_active:
        raise BadTokenError
    note_lead(user, claims["iat"])
    require_open_sessions(user, claims)
    if not follow(user, **claimed):
        raise BadTokenError
    return user


def _provisioned(
    issuer: Issuer, subject: str, claims: dict[str, Any], address: str, claimed: PrincipalClaims
) -> User:
    try:
        return provision(
            issuer=issuer.issuer,
            subject=subject,
            issued_at=claims["iat"],
            address=address,
            **claimed,
        )
    except ForgottenSubjectError:
        raise BadTokenError from None


def _principal_type(issuer: Issuer, claims: dict[str, Any]) -> PrincipalType:
    claim = issuer.principal_type_claim
    is_service = bool(claim) and claims.get(claim) == "service"
    return PrincipalType.SERVICE if is_service else PrincipalType.USER


def _text(value: Any, longest: int) -> str | None:
    """Return a claim that can be stored; None for anything else."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or UNSTORABLE.search(value):
        return None
    return value
