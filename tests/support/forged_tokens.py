"""Tokens that are signed with our key, and yet not as the service would make them."""

from typing import Any

import jwt
from django.conf import settings


def changed(token: str, **claims: Any) -> str:
    """Sign the claims of `token` anew, with some of them changed, or left out where None."""
    old = jwt.decode(token, options={"verify_signature": False})
    new = {name: value for name, value in (old | claims).items() if value is not None}
    return jwt.encode(new, settings.SECRET_KEY, algorithm="HS256")


def unsigned(token: str) -> str:
    """Make the same claims under `alg: none` (RFC 8725, section 2.1)."""
    old = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(old, "", algorithm="none")


HUGE = 10**399

# Claims of each wrong kind, which a signature alone doesn't rule out.
ODD_CLAIMS: dict[str, dict[str, Any]] = {
    "no principal": {"principal_id": None},
    "a list for a principal": {"principal_id": ["a"]},
    "a number for a principal": {"principal_id": HUGE},
    "an object for a principal": {"principal_id": {"a": 1}},
    "a word for a principal": {"principal_id": "me"},
    "NUL for a principal": {"principal_id": "\x00"},
    "an unknown principal": {"principal_id": "01890000-0000-7000-8000-000000000000"},
    "another type": {"principal_type": "service"},
    "a list for a type": {"principal_type": ["user"]},
    "no fingerprint": {"fingerprint": None},
    "a list for a fingerprint": {"fingerprint": ["a"]},
    "a foreign fingerprint": {"fingerprint": "0" * 32},
    "a half surrogate for a fingerprint": {"fingerprint": "\ud800"},
    "no end": {"exp": None},
    "an end long ago": {"exp": 1},
    "an end before time": {"exp": -HUGE},
    "an end beyond time": {"exp": HUGE},
    "an infinite end": {"exp": float("inf")},
    "no number for an end": {"exp": "soon"},
    "a list for an end": {"exp": [1]},
    "an infinite beginning": {"iat": float("inf")},
    "a beginning in the future": {"iat": HUGE},
    "a later start": {"nbf": HUGE},
    "no id": {"jti": None},
    "a list for an id": {"jti": ["a"]},
    "no token type": {"token_type": None},
    "a list for a token type": {"token_type": ["access"]},
}
