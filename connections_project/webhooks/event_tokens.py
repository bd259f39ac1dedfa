"""Security event tokens (RFC 8417) as they are pushed (RFC 8935): read, and verified."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.utils import base64url_decode

from connections_project.oauth.json_text import refuse_many_values
from connections_project.webhooks.errors import RefusedNoticeError

# RFC 8417, section 2.3; what names no type is taken too.
TYPES = {"secevent+jwt", "application/secevent+jwt", "jwt"}
ODDITIES = (ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class EventToken:
    """A token whose signature nobody has looked at yet."""

    text: str
    kid: str | None
    algorithm: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a transmitter's tokens must be.

    Args:
        issuer: The `iss`, exactly.
        audiences: Of which `aud` must have one.
        find_key: Returns the key of a token; raises RefusedNoticeError or KeysUnavailableError.
        leeway: Seconds by which the transmitter's clock may be ahead; None where its tokens may
            come from any time ahead.
        bad_signature: The code (RFC 8935, section 2.4) of a signature that is wrong.
    """

    issuer: str
    audiences: Sequence[str]
    find_key: Callable[[EventToken], Any]
    leeway: int | None = None
    bad_signature: str = "invalid_key"


def parse(body: bytes, *, algorithms: Sequence[str]) -> EventToken:
    """Read a token, so that nothing is fetched for a body that can't be one.

    Raises:
        RefusedNoticeError: It is no JWT, of another type, or signed in another way.
    """
    try:
        text = body.decode("ascii").strip()
        # Without its signature: one that is no base64 is a wrong signature, as `verify` says.
        unsigned = text[: text.rfind(".") + 1]
        for part in unsigned.split(".")[:2]:
            refuse_many_values(base64url_decode(part))
        header = jwt.get_unverified_header(unsigned)
        jwt.decode(unsigned, options={"verify_signature": False})
    except (jwt.InvalidTokenError, *ODDITIES):
        raise RefusedNoticeError("invalid_request", "The body must be a JWT.") from None
    kind, kid, algorithm = header.get("typ", "jwt"), header.get("kid"), header.get("alg")
    if not isinstance(kind, str) or kind.lower() not in TYPES or "crit" in header:
        raise RefusedNoticeError("invalid_request", "The token is no security event token.")
    if algorithm not in algorithms:
        allowed = ", ".join(algorithms)
        raise RefusedNoticeError("invalid_request", f"The token must be signed by {allowed}.")
    return EventToken(text, kid if isinstance(kid, str) else None, str(algorithm))


def verify(token: EventToken, expected: Expected) -> dict[str, Any]:
    """Return the claims of a token that is the transmitter's and for us.

    Raises:
        RefusedNoticeError: It is not, or lacks what every event token has.
        KeysUnavailableError: The transmitter's keys can't be had.
    """
    key = expected.find_key(token)
    try:
        return dict(_decoded(token, key, expected))
    except jwt.InvalidIssuerError:
        raise RefusedNoticeError("invalid_issuer", "This is another issuer's.") from None
    except jwt.InvalidAudienceError:
        raise RefusedNoticeError("invalid_audience", "This is for somebody else.") from None
    except jwt.MissingRequiredClaimError as error:
        raise RefusedNoticeError("invalid_request", f"{error.claim} is missing.") from None
    except jwt.DecodeError:
        raise RefusedNoticeError(expected.bad_signature, "The signature is wrong.") from None
    except (jwt.InvalidTokenError, *ODDITIES):
        raise RefusedNoticeError("invalid_request", "The token can't be read.") from None


def _decoded(token: EventToken, key: Any, expected: Expected) -> dict[str, Any]:
    return jwt.decode(
        token.text,
        key,
        algorithms=[token.algorithm],
        audience=list(expected.audiences),
        issuer=expected.issuer,
        leeway=expected.leeway or 0,
        # RFC 8417, section 2.2: `exp` means nothing here, an event doesn't run out.
        options={
            "verify_exp": False,
            "verify_iat": expected.leeway is not None,
            "verify_nbf": False,
            "require": ["iss", "aud", "iat", "jti"],
        },
    )
