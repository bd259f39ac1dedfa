"""Texts that came packed, or as a string of JSON in another."""

import zlib
from collections.abc import Iterator
from contextlib import suppress

from connections_project.oauth.body_text import legible

MOST_LEVELS = 4
LONGEST_UNPACKED = 64 * 1024


def unquoted(body: bytes) -> Iterator[str]:
    """Return a body as text, and what that is where it stands in a string of JSON, and that in
    another."""
    text = legible(body)
    for _ in range(MOST_LEVELS):
        yield text
        text = text.replace('\\"', '"').replace("\\\\", "\\")


def unpacked(body: bytes) -> tuple[bytes, bool]:
    """Return what gzip or deflate unpacks to, as far as it does and a token response is long, and
    whether that is all."""
    engine, text = zlib.decompressobj(zlib.MAX_WBITS | 32), bytearray()
    with suppress(zlib.error):
        # One by one: where the sum at the end is wrong, what came before is read all the same.
        for byte in body[:LONGEST_UNPACKED]:
            text += engine.decompress(bytes([byte]), LONGEST_UNPACKED)
            if len(text) >= LONGEST_UNPACKED:
                break
    return bytes(text), engine.eof
