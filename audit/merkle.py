"""Merkle trees over the digests of events (RFC 9162, section 2.1), with SHA-256.

One root stands for a thousand events, and ten digests prove that one event is among them, so that a
part of the log can be handed out and verified without the rest.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

Step = tuple[Literal["left", "right"], bytes]


def leaf(data: bytes) -> bytes:
    """Return the digest of one entry; the prefix distinguishes it from a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of all leaves (section 2.1.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(root(leaves[:split]), root(leaves[split:]))


def proof(leaves: Sequence[bytes], position: int) -> list[Step]:
    """Return the path from a leaf to the root, and each side (section 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if position < split:
        return [*proof(leaves[:split], position), ("right", root(leaves[split:]))]
    return [*proof(leaves[split:], position - split), ("left", root(leaves[:split]))]


def led_to(leaf: bytes, steps: Iterable[Step]) -> bytes:
    """Return the root to which a proof leads."""
    reached = leaf
    for side, digest in steps:
        reached = _node(digest, reached) if side == "left" else _node(reached, digest)
    return reached


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """Return the largest power of two that is smaller than `count`."""
    return 1 << ((count - 1).bit_length() - 1)
