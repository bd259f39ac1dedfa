"""What a token answer brings beside tokens (the catalogue's `kept_token_fields`), whole or not."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from connections_project.oauth.json_text import MOST_ANSWERED_VALUES, refuse_many_values
from connections_project.oauth.paths import dig_text
from connections_project.oauth.wrapped_text import unpacked, unquoted

_DECODER = json.JSONDecoder(strict=False)
# A number at the end of what has come may be cut off in its midst.
_VALUE = r'"\s*:\s*(?=["{\[]|[0-9]+[^0-9])'
# A member's text, any other text, even one that is cut off, or what is about values.
_SIGNS = re.compile(r':\s*"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*"?|[\[\]{},]', re.DOTALL)
_ENDS = {"{": "}", "[": "]"}
MOST_PLACES = 8


def kept_in(document: object, fields: Mapping[str, str]) -> dict[str, str]:
    """Return what of a document is kept, by its names.

    Args:
        fields: Dotted paths by name.
    """
    found = {name: dig_text(document, path) for name, path in fields.items()}
    return {name: text for name, text in found.items() if text}


def readable_fields(bodies: Iterable[bytes], fields: Mapping[str, str]) -> dict[str, str]:
    """Return what can be read of that in bodies that are no token response, or broke off."""
    if not fields:
        return {}
    texts = (chain(unquoted(body), unquoted(unpacked(body)[0])) for body in bodies)
    found = (kept_in(_members(text, fields), fields) for text in chain.from_iterable(texts))
    return next(filter(None, found), {})


def _members(text: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the members that paths begin with, wherever they stand."""
    names = {path.partition(".")[0] for path in fields.values()}
    with suppress(ValueError):
        refuse_many_values(text.encode("utf-8", "surrogatepass"), MOST_ANSWERED_VALUES)
        return {name: _member(text, name) for name in names}
    return {}


def _member(text: str, name: str) -> Any:
    places = re.finditer(f'"{re.escape(name)}{_VALUE}', text)
    values = (_value(text[place.end() :]) for place in islice(places, MOST_PLACES))
    return next(filter(None, values), None)


def _value(text: str) -> Any:
    """Return the value that a text begins with; of one that broke off, its whole members."""
    for one in (text, _closed(text)):
        with suppress(ValueError, RecursionError):
            return _DECODER.raw_decode(one)[0]
    return None


def _closed(text: str) -> str:
    awaited, end = [], 0
    for sign in _SIGNS.finditer(text):
        if sign[0] in _ENDS:
            awaited.append(_ENDS[sign[0]])
        elif awaited and sign[0] in {"}", "]"}:
            awaited.pop()
        elif sign[0].startswith('"'):
            continue
        end = sign.start() if sign[0] == "," else sign.end()
        if not awaited:
            break
    return text[:end] + "".join(reversed(awaited))
