"""The development certificate, of an authority that nobody else trusts."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """Where the authority's and the server's certificate and the server's key lie (PEM)."""

    authority: Path
    chain: Path
    key: Path


def certificate_in(folder: Path) -> Certificate:
    """Return where a folder's certificate is, or is to be."""
    return Certificate(folder / "ca.pem", folder / "localhost.pem", folder / "localhost.key")


def issue_where_missing(files: Certificate) -> None:
    """Create all files where one is missing; only its owner may read the key."""
    if all(path.exists() for path in (files.authority, files.chain, files.key)):
        return
    authority = trustme.CA()
    server = authority.issue_cert(*NAMES)
    files.key.touch(mode=0o600)
    files.key.write_bytes(_pkcs8(server.private_key_pem.bytes()))
    server.cert_chain_pems[0].write_to_path(files.chain)
    authority.cert_pem.write_to_path(files.authority)


def _pkcs8(pem: bytes) -> bytes:
    # Granian reads keys in no other form.
    return serialization.load_pem_private_key(pem, password=None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
