"""Tokens whose signature was verified in this process, so that it is not verified at each call.

Only what the signature vouches for is remembered: the claims. When a token ends, and whether its
principal still is active, is looked at each time.
"""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings

Claims = dict[str, Any]


class VerifiedTokens:
    """The claims of tokens, by a digest that depends on the key that signs them.

    Args:
        size: How many are remembered; the oldest is forgotten first.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size, self._lock = size, threading.Lock()
        self._claims: dict[bytes, Claims] = {}

    def read(self, raw: bytes, verify: Callable[[bytes], Claims]) -> Claims:
        """Return a token's claims, which the caller may change.

        Args:
            verify: Verifies one that is not known, and returns its claims. What it raises is not
                remembered.
        """
        key = _digest(raw)
        claims = self._claims.get(key)
        if claims is None:
            claims = verify(raw)
            with self._lock:
                while len(self._claims) >= self._size:
                    del self._claims[next(iter(self._claims))]
                self._claims[key] = claims
        return dict(claims)


def _digest(raw: bytes) -> bytes:
    # A digest of the key, since BLAKE2 takes no more than 64 bytes of one.
    key = hashlib.blake2b(settings.SECRET_KEY.encode()).digest()
    return hashlib.blake2b(raw, key=key, digest_size=32).digest()
