"""Who we are to a platform, and what it hands out to us."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connections_project.oauth.errors import PlatformError

# VSCHAR, the alphabet of tokens and codes (RFC 6749, appendix A): no control character, so that
# none can break out of a header.
VSCHAR = re.compile(r"[\x20-\x7e]+")
# How a token is written by those who don't show it.
MASK = re.compile(r"\*\*\*|redacted", re.IGNORECASE)
# The longest lifetime that is believed, so that adding it to a date can't overflow.
TEN_YEARS = 10 * 365 * 24 * 3600


@dataclass(frozen=True)
class ClientRegistration:
    """Our own client at a platform.

    Args:
        client_secret: Empty for a public client (RFC 6749, section 2.1).
        redirect_uris: The registered ones; the first is the default.
        webhook_key: What the platform's notices are verified by, where that isn't the secret.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    webhook_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class TokenSet:
    """What a token endpoint gave; lifetimes are in seconds from now, None where unknown.

    `user_id` is set for the revoker: which user of the platform they come from, where it is known.
    `extras` is what else of the answer is kept and sealed with them, by the catalogue's names.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    scope: str | None = None
    response: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    user_id: str | None = field(default=None, compare=False)
    extras: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    def completed_by(self, old: "TokenSet") -> "TokenSet":
        """Return these with what only the tokens before them came with.

        RFC 6749, section 6: an answer without a refresh token leaves the old one in force.
        """
        return replace(
            self,
            refresh_token=self.refresh_token or old.refresh_token,
            extras={**old.extras, **self.extras},
        )

    def as_payload(self) -> dict[str, Any]:
        """Return what has to be kept, to be sealed."""
        extras = {"extras": dict(self.extras)} if self.extras else {}
        tokens = {"access_token": self.access_token, "refresh_token": self.refresh_token}
        return {**tokens, **extras}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "TokenSet":
        """Return the tokens of a payload by `as_payload`; raises KeyError for anything else."""
        tokens = payload["access_token"], payload["refresh_token"]
        return cls(*tokens, extras=payload.get("extras", {}))


def parse_token_response(document: Mapping[str, Any], *, platform: str) -> TokenSet:
    """Read a successful token response (RFC 6749, section 5.1).

    A token type that we don't know is taken for Bearer, where RFC 6749, section 7.1, would not use
    the token: those who mean it are found to write it in many ways.

    Raises:
        PlatformError: `malformed`: no access token, or a token with characters that no token has.
    """
    access_token = _token(document.get("access_token"), platform)
    if access_token is None:
        raise PlatformError("malformed", platform=platform)
    fixed_end = document.get("refresh_token_expires_in", document.get("refresh_expires_in"))
    return TokenSet(
        access_token=access_token,
        refresh_token=_token(document.get("refresh_token"), platform),
        expires_in=_seconds(document.get("expires_in")),
        refresh_expires_in=_seconds(fixed_end),
        scope=_scope(document.get("scope")),
        response=document,
    )


def require_vschar(value: str, *, platform: str) -> str:
    """Refuse a token or code that no platform can have issued.

    Raises:
        PlatformError: `malformed`.
    """
    if not VSCHAR.fullmatch(value):
        raise PlatformError("malformed", platform=platform)
    return value


def _token(value: Any, platform: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise PlatformError("malformed", platform=platform)
    return require_vschar(value, platform=platform)


def _seconds(value: Any) -> int | None:
    """Read a lifetime; some platforms send it as text, or with fractions."""
    if not isinstance(value, str | int | float | Decimal):
        # A list may be nested too deep to be written.
        return None
    told = str(value).strip()
    if not re.fullmatch(r"\d+(\.\d+)?([eE]\+?\d+)?", told, re.ASCII):
        return None
    try:
        return int(min(Decimal(told), Decimal(TEN_YEARS)))
    except ArithmeticError:
        # Beyond any Decimal, such as "1e99999999999999999999".
        return TEN_YEARS


def _scope(value: Any) -> str | None:
    """Read what was granted, parted by spaces (RFC 6749, section 3.3), whatever parted it.

    Some platforms send a list, some commas, some commas to a request that had spaces.
    """
    scopes = value
    if isinstance(value, list):
        scopes = " ".join(one for one in value if isinstance(one, str))
    if not isinstance(scopes, str) or not scopes.isprintable():
        return None
    return " ".join(re.split("[ ,]+", scopes.strip(" ,")))
