"""Proof Key for Code Exchange (RFC 7636)."""

import base64
import hashlib
import secrets


def new_verifier() -> str:
    """Return a new verifier of 256 bits: 43 characters, the shortest that section 4.1 allows."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
