"""Ed25519 keys (RFC 8032): what they are called, and how their public halves are published."""

import base64
import hashlib
import json
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Keys = dict[str, Ed25519PublicKey]


def private_key(seed: bytes) -> Ed25519PrivateKey:
    """Return the private key of a 32-byte seed (RFC 8032, section 5.1.5)."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(raw: bytes) -> Ed25519PublicKey:
    """Return the public key of its 32 bytes (RFC 8032, section 5.1.2).

    Raises:
        ValueError: There are not 32 of them.
    """
    return Ed25519PublicKey.from_public_bytes(raw)


def key_id(key: Ed25519PublicKey) -> str:
    """Name a key by its thumbprint (RFC 7638), so that whoever holds it can compute its name."""
    required = {name: value for name, value in _members(key).items() if name in _THUMBPRINT}
    text = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(text.encode()).digest())


def jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """Write a public key as a JSON Web Key (RFC 8037, section 2)."""
    return {**_members(key), "kid": key_id(key), "use": "sig", "alg": "EdDSA"}


def by_id(keys: Iterable[Ed25519PublicKey]) -> Keys:
    """Arrange keys by their names."""
    return {key_id(key): key for key in keys}


# RFC 7638, section 3.2, and RFC 8037, section 2: what names an octet key pair.
_THUMBPRINT = {"crv", "kty", "x"}


def _members(key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
