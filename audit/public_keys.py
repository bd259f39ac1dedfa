"""Public keys as people give them: as base64, or in a file."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connections_project.conf.values import ed25519_bytes
from connections_project.core.signing import public_key

WANTED = "give an Ed25519 public key, as the base64 of its 32 bytes, or a file with that or PEM"


def public_key_of(text: str) -> Ed25519PublicKey:
    """Read the base64 of 32 bytes, in either alphabet, or the path of a file with that or with PEM.

    Raises:
        ValueError: It is neither; the message says what is wanted.
    """
    try:
        return _from_base64(text)
    except ValueError:
        return _from_file(Path(text))


def as_text(key: Ed25519PublicKey) -> str:
    """Return a public key as `--public-key` and AUDIT_PUBLIC_KEYS expect it."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def _from_file(path: Path) -> Ed25519PublicKey:
    try:
        data = path.read_text(encoding="ascii").strip()
        return _from_pem(data) if data.startswith("-----") else _from_base64(data)
    except (OSError, ValueError):
        raise ValueError(WANTED) from None


def _from_base64(text: str) -> Ed25519PublicKey:
    return public_key(ed25519_bytes(text))


def _from_pem(text: str) -> Ed25519PublicKey:
    key = load_pem_public_key(text.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("another kind of key")  # noqa: TRY004 (The text is wrong, not its type.)
    return key
