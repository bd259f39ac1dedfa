"""JSON from others, read only where its size in values is bounded.

The parser holds the interpreter's lock from the first byte to the last, and builds an object for
each two bytes of `[],[],[],…`: a megabyte of that keeps every other request of the process waiting.
What a text will cost is therefore counted before it is parsed, which takes a thousandth of that.
"""

import json
from typing import Any

# Of what callers send: the largest bodies that mean something have some thousand.
MOST_VALUES = 20_000
# Of what platforms answer: lists of accounts and transactions, of which 2 MiB have 80,000 at most.
MOST_ANSWERED_VALUES = 100_000
# Tokens (JWT) of identity providers; those that name hundreds of groups have 20 KiB.
LONGEST_TOKEN = 32 * 1024


class TooManyValuesError(ValueError):
    """A text has more values than anything that is meant seriously."""


def load_json(raw: bytes, *, most: int = MOST_VALUES, encoding: str = "", **options: Any) -> Any:
    """Parse a text, as `json.loads` does with these options.

    Args:
        most: How many values it may have, by the signs that part or open them.
        encoding: What it must be in; by default any that JSON was ever written in.

    Raises:
        TooManyValuesError: It has more; nothing was parsed.
        ValueError: It is no JSON. RecursionError where it is nested too deep.
    """
    refuse_many_values(raw, most)
    return json.loads(raw.decode(encoding) if encoding else raw, **options)


def refuse_many_values(raw: bytes, most: int = MOST_VALUES) -> None:
    """Raise TooManyValuesError for a text that should not be parsed."""
    if has_more_values(raw, most):
        raise TooManyValuesError("too many values")


def has_more_values(raw: bytes, most: int) -> bool:
    """Whether a text has more than so many `,`, `[` and `{` outside of its strings."""
    if _signs(raw) <= most:
        return False
    # Only now the strings are left out, since almost no text comes this far. A text with NUL may be
    # UTF-16, whose strings end elsewhere; JSON in UTF-8 has none (RFC 8259, section 7).
    return b"\x00" in raw or _signs_outside_of_strings(raw, most) > most


def _signs(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _signs_outside_of_strings(raw: bytes, most: int) -> int:
    unescaped = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    # A member has two strings at most, and a string two quotes.
    if unescaped.count(b'"') > 4 * (most + 1):
        return most + 1
    return _signs(b"".join(unescaped.split(b'"')[::2]))
