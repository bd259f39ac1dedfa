"""How a platform identifies a refresh token in a notice that the token is dead.

The stored token is sealed and can't be searched for, so its names are noted when it comes. The
words are Google's (https://developers.google.com/identity/protocols/risc, token_identifier_alg).
"""

import base64
import hashlib

from connections_project.platforms.registry import upstream

PREFIX = "prefix"
DOUBLE_HASH = "hash_base64_sha512_sha512"

PREFIX_LENGTH = 16
# What is left of a token beside its prefix must still be beyond guessing: 32 characters here.
SHORTEST_NAMED_TOKEN = 48


def token_names(slug: str, refresh_token: str | None) -> dict[str, str | None]:
    """Return the columns that name a refresh token; null where the platform doesn't use such names.

    Args:
        slug: The platform; its `token_identifier_algs` say how it names tokens.
        refresh_token: None where the platform gave none.
    """
    found = upstream(slug)
    algs = found.platform.token_identifier_algs if found else ()
    token = refresh_token or ""
    return {
        "refresh_token_prefix": _prefix(token) if PREFIX in algs else None,
        "refresh_token_hash": double_hash(token) if token and DOUBLE_HASH in algs else None,
    }


def _prefix(token: str) -> str | None:
    return token[:PREFIX_LENGTH] if len(token) >= SHORTEST_NAMED_TOKEN else None


def double_hash(token: str) -> str:
    """Hash a token as `hash_base64_sha512_sha512` does."""
    return base64.b64encode(
        hashlib.sha512(hashlib.sha512(token.encode()).digest()).digest()
    ).decode()
