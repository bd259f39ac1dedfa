"""Read single values of a provider's JSON, which may hold anything where a value should be."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from connections_project.oauth.names import without_controls

LONGEST_ID = 255
# What the columns hold: 20 digits before the point and 18 behind it.
LARGEST_AMOUNT = Decimal(10) ** 20
SMALLEST_STEP = Decimal(10) ** -18
# The default context has 28 digits, too few for an amount of 38.
MONEY = Context(prec=60)
# As seconds it would be the year 5138, as milliseconds it is 1973.
FIRST_MILLISECOND = 10**11
# Beyond it are microseconds, or the digits of a date. A number like 1e999999999 must not even be
# made a whole one.
LAST_MILLISECOND = 10**14
# Eight digits are a date (ISO 8601, basic format).
# Commas between thousands that can't be taken for decimal ones: "1,234" may be either.
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+|(?<=,[0-9]{3},[0-9]{3}))", re.ASCII)
# RFC 3339, section 5.6: "t" and "z" may be small, and a leap second is the 60th.
LEAP_SECOND = re.compile(r"(?<=:[0-5][0-9]:)60(?=[Z+-]|[.,]|$)")
EPOCH_TEXT = re.compile(r"[0-9]{9,13}(\.[0-9]{1,9})?")


class UnreadableError(ValueError):
    """A value that can't be what it should be; the text holds none of it."""


def identifier(value: Any) -> str:
    """Read an id.

    Raises:
        UnreadableError: It is missing or too long: cutting it short would make two things one.
    """
    read = text(value, longest=LONGEST_ID + 1)
    if not read or len(read) > LONGEST_ID:
        raise UnreadableError("an id is missing or too long")
    return read


def text(value: Any, *, longest: int) -> str:
    """Read text as a column can hold it, cut at `longest`; a number is taken for its digits.

    Raises:
        UnreadableError: It is neither.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise UnreadableError("a text is something else")
    return without_controls(str(value))[:longest]


def currency(value: Any) -> str:
    """Read a currency's code (ISO 4217, or a coin's sign), which some write in small letters.

    Raises:
        UnreadableError: It is no text.
    """
    read = text(value, longest=16).strip()
    return read.upper() if read.islower() else read


def optional_amount(value: Any) -> Decimal | None:
    return None if value is None else amount(value)


def amount(value: Any) -> Decimal:
    """Read an amount of money, as a number or as text; what is finer than 1e-18 is rounded.

    Raises:
        UnreadableError: It is no number, or more than the column holds.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise UnreadableError("an amount is no number")
    if isinstance(value, str) and GROUPED.fullmatch(value.strip()):
        value = value.replace(",", "")
    # Python alone also reads "1_000", and digits of all scripts.
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        raise UnreadableError("an amount is no number")
    try:
        read = Decimal(value)
    except InvalidOperation:
        raise UnreadableError("an amount is no number") from None
    if not read.is_finite() or not -LARGEST_AMOUNT < read < LARGEST_AMOUNT:
        raise UnreadableError("an amount is out of range")
    # Nothing is owed by a minus sign alone.
    return read.quantize(SMALLEST_STEP, context=MONEY) or Decimal(0)


def is_bought(side: Any) -> bool:
    """Read a trade's side: a purchase ("buy", "BuyToCover"), or else a sale ("SELL", "sell_short").

    Raises:
        UnreadableError: It is neither; to guess would turn an amount's sign round.
    """
    told = side.lower() if isinstance(side, str) else ""
    if not told.startswith(("buy", "sell")):
        raise UnreadableError("a trade has no side")
    return told.startswith("buy")


def read_datetime(value: Any) -> datetime:
    """Read a date, a date with time (ISO 8601; UTC unless it says), or an epoch's time.

    Args:
        value: The last one in seconds or milliseconds since 1970, as a number or as text.

    Raises:
        UnreadableError: It is none of these, or lies outside the years 1 to 9999.
    """
    try:
        read = _read_datetime(value)
        # In UTC already here, since the first and last hours of time have no equal there.
        return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableError("a date can't be read") from None


def _from_epoch(seconds: Decimal) -> datetime:
    if not -LAST_MILLISECOND <= seconds <= LAST_MILLISECOND:
        raise UnreadableError("a date is out of range")
    if abs(seconds) >= FIRST_MILLISECOND:
        seconds /= 1000
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 10**6))


def _read_datetime(value: Any) -> datetime:
    if isinstance(value, str):
        value = LEAP_SECOND.sub("59", value.strip().upper())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _from_epoch(Decimal(value))
    if isinstance(value, str) and EPOCH_TEXT.fullmatch(value):
        return _from_epoch(Decimal(value))
    read = parse_datetime(value) if isinstance(value, str) else None
    day = parse_date(value) if isinstance(value, str) and read is None else None
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if read is None:
        raise UnreadableError("a date is none")
    return read
