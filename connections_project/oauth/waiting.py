"""How long somebody else's server asks to be left alone, in whichever way it says so."""

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER = 24 * 3600
# Beside Retry-After, most telling first. X writes the third.
RESET_HEADERS = (
    "X-RateLimit-Reset-After",
    "X-RateLimit-Reset",
    "X-Rate-Limit-Reset",
    "RateLimit-Reset",
)
# A number below is a span, a number above the milliseconds of a moment.
FIRST_MOMENT, FIRST_MILLISECONDS = 10**9, 10**11
# draft-ietf-httpapi-ratelimit-headers, "RateLimit Field".
_RESET = re.compile(r"(?:^|[\s,;])(?:r=([0-9]{1,16})[\s;]+)?(?:t|reset)=([0-9]{1,16})(?![0-9])")
_NUMBER = re.compile(r"[0-9]{1,16}(\.[0-9]{1,16})?")


def seconds_asked_for(headers: Mapping[str, str], *, status: int) -> int | None:
    """Return the seconds that an answer asks for; None where it doesn't.

    Retry-After is what counts. Only where a limit was reached (429) does the time of its reset
    mean that one has to wait for it.
    """
    asked = retry_after_seconds(headers.get("Retry-After"))
    if asked is not None or status != 429:
        return asked
    resets = [headers.get(name) for name in RESET_HEADERS]
    found = (reset_seconds(one) for one in (*resets, _in_list(headers.get("RateLimit"))))
    return next((one for one in found if one is not None), None)


def retry_after_seconds(value: str | None) -> int | None:
    """Read seconds or an HTTP date (RFC 9110, section 10.2.3), or what else stands there."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        # However many digits; ten of them may be a moment.
        text = text if len(text) <= 16 else str(LONGEST_RETRY_AFTER)
    return reset_seconds(text)


def _in_list(value: str | None) -> str | None:
    """Return the reset of a list of limits: `"default";r=0;t=30`, or `limit=9, reset=30` before.

    Of several it is the last of those that are used up that has to be waited for.
    """
    found = _RESET.findall(value or "")
    used_up = [reset for left, reset in found if left and not int(left)]
    return max(used_up, key=int) if used_up else next((reset for _, reset in found), None)


def reset_seconds(value: str | None) -> int | None:
    """Read a limit's reset: seconds from now, seconds or milliseconds since 1970, or a date."""
    text = (value or "").strip()
    if not _NUMBER.fullmatch(text):
        moment = _iso_date(text) or _http_date(text)
        return None if moment is None else _bounded(moment - time.time())
    number = float(text)
    if number < FIRST_MOMENT:
        return _bounded(number)
    moment = number / 1000 if number >= FIRST_MILLISECONDS else number
    return _bounded(moment - time.time())


def _bounded(seconds: float) -> int:
    return max(0, min(math.ceil(seconds), LONGEST_RETRY_AFTER))


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _iso_date(text: str) -> float | None:
    """Read RFC 3339, as Mastodon writes it; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
