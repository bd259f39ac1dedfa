"""What a terminal may show of a call: all but its secrets, and not too much of that."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

HIDDEN = "***"
# `code` is a secret in an address alone: in a problem it names what is wrong with a field.
SECRET_FIELDS = frozenset({"access_token", "refresh_token", "client_secret", "password", "state"})
SECRET_PARAMETERS = SECRET_FIELDS | {"code", "code_challenge"}
MOST_ITEMS = 2
# What is left of a long line: its beginning, and its end, where counts and pages stand.
FIRST, LAST = 170, 80


def masked(value: Any) -> Any:
    """Return JSON to show: secrets hidden, addresses masked, long lists cut."""
    match value:
        case dict():
            return {
                name: HIDDEN if name in SECRET_FIELDS else masked(item)
                for name, item in value.items()
            }
        case list():
            left_out = [f"... {len(value) - MOST_ITEMS} more"] if len(value) > MOST_ITEMS else []
            return [*map(masked, value[:MOST_ITEMS]), *left_out]
        case str():
            return masked_address(value) if "://" in value else value
    return value


def masked_address(url: str) -> str:
    """Return an address without the secrets of its query."""
    parts = urlsplit(url)
    return parts._replace(query=masked_query(dict(parse_qsl(parts.query)))).geturl()


def masked_query(parameters: Mapping[str, str]) -> str:
    shown = {
        name: HIDDEN if name in SECRET_PARAMETERS else value for name, value in parameters.items()
    }
    return urlencode(shown, safe="*:/")


def shortened(line: str) -> str:
    """Cut the middle out of a long line."""
    return line if len(line) <= FIRST + LAST else f"{line[:FIRST]} ... {line[-LAST:]}"
