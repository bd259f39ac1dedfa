"""What is signed: a JSON object with its kind, the signing key's name, and the signature.

The signature covers the canonical text of all the rest. Seals, checkpoints and
the last line of an export are such objects, so that one way of verifying serves them all.
"""

import base64
import hashlib
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit.canonical import canonical, precise
from audit.models import Archive, Seal
from connections_project.core.signing import Keys, by_id, key_id, private_key, public_key

NO_PREDECESSOR = "0" * 64


class UnknownKeyError(Exception):
    """A statement is signed with a key that is not among the known ones."""


def sign(statement: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Complete a statement by the key's name and its signature."""
    named = {**statement, "kid": key_id(key.public_key())}
    signature = base64.b64encode(key.sign(canonical(named))).decode()
    return {**named, "signature": signature}


def verify(signed: dict[str, Any], keys: Keys) -> None:
    """Verify a signed statement.

    Raises:
        UnknownKeyError: It names none of the keys.
        InvalidSignature: The key it names has not signed this.
    """
    key = keys.get(str(signed.get("kid")))
    if key is None:
        raise UnknownKeyError(signed.get("kid"))
    try:
        signature = base64.b64decode(str(signed.get("signature")), validate=True)
    except ValueError:
        raise InvalidSignature from None
    key.verify(signature, covered(signed))


def signature_problem(signed: dict[str, Any], keys: Keys) -> str:
    """Return what is wrong with a signature, to follow a subject; empty if it is good."""
    try:
        verify(signed, keys)
    except UnknownKeyError:
        return f"is signed with key {signed.get('kid')}, which is not among the known ones"
    except InvalidSignature:
        return "has a wrong signature"
    return ""


def of_seal(seal: Seal) -> dict[str, Any]:
    """Write a seal as the statement that was, or is to be, signed."""
    return {
        "kind": "seal",
        "log": str(seal.log),
        "number": seal.number,
        "previous": seal.previous,
        "root": seal.root,
        "size": seal.size,
        "sealed_at": precise(seal.sealed_at),
        "complete_until": precise(seal.complete_until),
    }


def signed_seal(seal: Seal) -> dict[str, Any]:
    """Write a seal with its key's name and its signature, as it stands outside the database."""
    return {**of_seal(seal), "kid": seal.key_id, "signature": seal.signature}


def of_archive(archive: Archive) -> dict[str, Any]:
    """Write an archive as the statement that was, or is to be, signed.

    It names the head with which it ends, so that it is no other log's with the same key, and no
    other seal's of that number, such as one that a restore has undone.
    """
    last = Seal.objects.filter(pk=archive.last_seal).values_list("head", flat=True).first()
    return {
        "kind": "archive",
        "head": last,
        "first_seal": archive.first_seal,
        "last_seal": archive.last_seal,
        "events": archive.events,
        "sha256": archive.sha256,
        "archived_at": precise(archive.archived_at),
    }


def signed_archive(archive: Archive) -> dict[str, Any]:
    """Write an archive with its key's name and its signature."""
    return {**of_archive(archive), "kid": archive.key_id, "signature": archive.signature}


def covered(signed: dict[str, Any]) -> bytes:
    """Return the text that a signature covers: all but the signature itself."""
    return canonical({name: value for name, value in signed.items() if name != "signature"})


def head(signed: dict[str, Any]) -> str:
    """Digest a signed seal; the next one names this as its predecessor."""
    return hashlib.sha256(covered(signed)).hexdigest()


def signing_key() -> Ed25519PrivateKey:
    """Return the key that signs seals and exports."""
    return private_key(settings.AUDIT_SIGNING_KEY)


def known_keys() -> Keys:
    """Return the public keys of all seals: of the signing key, and of its predecessors."""
    earlier = [public_key(raw) for raw in settings.AUDIT_PUBLIC_KEYS]
    return by_id([signing_key().public_key(), *earlier])
