"""Characters that make a terminal or a reader see something else than what is written."""

import re

from django.core.exceptions import ValidationError

# C0, DEL and C1 controls (ISO/IEC 6429), halves of surrogate pairs, separators of lines.
_CONTROLS = "\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029"
# Embeddings, overrides and isolates (UAX #9, section 2), which turn the order of what follows.
_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
# Marks of direction, which languages written from right to left need.
_MARKS = "\u061c\u200e\u200f"

_DECEPTIVE = re.compile(f"[{_CONTROLS}{_OVERRIDES}]")
_NOT_FOR_TERMINALS = re.compile(f"(?![\n\t])[{_CONTROLS}{_OVERRIDES}{_MARKS}]")
_OVERRIDES_UTF8 = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
# ECMA-48, section 8.3.117: what Django's own colours are made of.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def has_bytes(text: str) -> bool:
    """Whether a text can be stored: UTF-8 has no bytes for halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_deceptive(text: str) -> bool:
    """Whether a text has control characters or such as override the direction of writing."""
    return _DECEPTIVE.search(text) is not None


def refuse_deceptive(text: str) -> None:
    """Validate a field of a form or a body.

    Raises:
        django.core.exceptions.ValidationError: `is_deceptive`.
    """
    if is_deceptive(text):
        raise ValidationError(
            "Control characters and overrides of direction are not allowed.",
            code="invalid_characters",
        )


def spelt_out(text: str) -> str:
    r"""Return a text that terminals and readers show as it is: `\x1b` and `\u202e` are spelt out.

    Line breaks and tabs stay. DEL, which is the only one that JSON in ASCII may have as it is, is
    spelt as JSON spells it: JSON stays JSON.
    """
    return _NOT_FOR_TERMINALS.sub(lambda found: _spelt(found[0]), text)


def _spelt(character: str) -> str:
    return r"\u007f" if character == "\x7f" else character.encode("unicode_escape").decode()


def json_spelt_out(text: str) -> str:
    r"""Return JSON with the same values that moves no terminal: `\u007f`, `\u009b`, `\u202e`."""
    return _NOT_FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def page_spelt_out(html: bytes) -> bytes:
    r"""Return a page in UTF-8 that turns nothing it shows: `\u202e` is spelt out."""
    return _OVERRIDES_UTF8.sub(lambda found: _spelt(found[0].decode()).encode(), html)


def escaped(text: str) -> str:
    """Return a command's output, `spelt_out`, without Django's colours."""
    return spelt_out(_COLOURS.sub("", text))


def undeceptive(text: str) -> str:
    """Return a platform's name for a page or an e-mail, where it turns nothing that follows it."""
    return _DECEPTIVE.sub("", text)


# As long as the audit log takes.
LONGEST_REASON = 512


class InvalidReasonError(ValueError):
    """What is given as a reason is none."""


def reason_of(text: str, *, least: int = 1) -> str:
    """Return why something is done, as the audit log keeps it, without space around it.

    Args:
        least: 0 where a reason may be missing.

    Raises:
        InvalidReasonError: It has fewer or more than 512 characters, or deceptive ones.
    """
    reason = text.strip()
    if not least <= len(reason) <= LONGEST_REASON or is_deceptive(reason):
        raise InvalidReasonError(
            f"The reason needs {least} to {LONGEST_REASON} characters in one line, and no control "
            "characters."
        )
    return reason
