"""Bodies of answers as text, in whatever encoding they came."""

import codecs
import json
import re
from contextlib import suppress

# Encodings that only Python has: they stand for escapes and host names.
OF_PYTHON = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([\w.:+-]+)', re.ASCII | re.IGNORECASE)


def charset_of(content_type: str) -> str:
    """Return the charset that a `Content-Type` names; empty where it names none."""
    found = _CHARSET.search(content_type)
    return found[1] if found else ""


def decoded(body: bytes, charset: str = "") -> str:
    """Return a body as text.

    Args:
        charset: As `Content-Type` has it. It counts where the bytes are none of UTF-8, UTF-16 and
            UTF-32, with a byte order mark or without: JSON is in one of these whatever it says
            (RFC 8259, sections 8.1 and 11), and text in other encodings is none of them by chance.

    Raises:
        ValueError: It is in none of these.
    """
    try:
        return body.decode(json.detect_encoding(body), "surrogatepass")
    except UnicodeError:
        return _in_charset(body, charset)


def legible(body: bytes, charset: str = "") -> str:
    """Return a body as text in which at least ASCII is as it was meant, whatever the body is."""
    try:
        return decoded(body, charset)
    except ValueError:
        found = json.detect_encoding(body)
        return body.decode("latin-1" if found == "utf-8" else found, "replace")


def _in_charset(body: bytes, charset: str) -> str:
    # LookupError also of codecs that make no text of bytes, such as base64.
    with suppress(LookupError):
        if codecs.lookup(charset).name not in OF_PYTHON:
            return body.decode(charset)
    raise ValueError("no charset that is known")
