"""The grammar of single values in the catalogue.

Each rule takes a value and gives it back as the entry holds it, or raises ValueError with what to
do; the table's reader adds where it stands.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from connections_project.oauth.addresses import origin_of
from connections_project.oauth.loopback import is_loopback

Rule = Callable[[Any], Any]

# What an address may leave open: an account, and the ends of a time as dates or as moments.
PLACEHOLDERS = ("account_id", "from_date", "to_date", "from_time", "to_time")


class CatalogError(Exception):
    """A catalogue file is wrong. The text is one line that names file, table and key."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be text in one line")
    return value


def filled_text(value: Any) -> str:
    if not text(value).strip():
        raise ValueError("must be text that is not empty")
    return str(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - one kind of error for a rule.
    return value


def days(value: Any) -> int:
    # A bool is an int to Python, but not to whoever wrote the file.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 36_500:
        raise ValueError("must be a whole number of days, 0 or more")
    return value


def day(value: Any) -> date:
    """Take a date of TOML; a time is one to Python, but no day."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("must be a date such as 2026-11-28")  # noqa: TRY004
    return value


def count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise ValueError("must be a whole number, 0 or more")
    return value


def header_value(value: Any) -> str:
    """Take what may stand in a header: printable ASCII (RFC 9110, section 5.5)."""
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", text(value)):
        raise ValueError("must be printable ASCII that is not empty")
    return str(value)


def http_status(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise ValueError("must be an HTTP status")
    return value


def one_of(*choices: str) -> Rule:
    """Return the rule that accepts one of these words."""

    def rule(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return rule


def list_of(item: Rule, *, empty: bool = True) -> Rule:
    """Return the rule that accepts a list whose items follow `item`."""

    def rule(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or (not value and not empty):
            raise ValueError("must be a list" + ("" if empty else " that is not empty"))
        return tuple(item(each) for each in value)

    return rule


def endpoint(value: Any) -> str:
    """Parse an address that may receive a secret: https, or http on loopback (RFC 6749, 3.1)."""
    if text(value) == "":
        return ""
    problem = "must be an https address (or http on loopback) without a fragment"
    if re.search(r"[\s\\#{}]", value) or not _is_trustworthy(value, problem):
        raise ValueError(problem)
    return str(value)


def endpoint_of_account(value: Any) -> str:
    """Parse an address that may leave open what PLACEHOLDERS names."""
    filled = text(value)
    for name in PLACEHOLDERS:
        filled = filled.replace(f"{{{name}}}", "id")
    endpoint(filled)
    return str(value)


def _is_trustworthy(address: str, problem: str) -> bool:
    try:
        found = origin_of(address)
    except ValueError:
        raise ValueError(problem) from None
    return found.scheme == "https" or is_loopback(found.host.strip("[]"))
