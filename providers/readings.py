"""Read single values of a provider's JSON, which may hold anything where a value should be."""

from datetime import UTC, datetime
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
# Seconds of the year 9999. A number like 1e999999999 must not even be made a whole one.
LAST_SECOND = 253_402_300_799


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


def optional_amount(value: Any) -> Decimal | None:
    return None if value is None else amount(value)


def amount(value: Any) -> Decimal:
    """Read an amount of money, as a number or as text; what is finer than 1e-18 is rounded.

    Raises:
        UnreadableError: It is no number, or more than the column holds.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise UnreadableError("an amount is no number")
    try:
        read = Decimal(value)
    except InvalidOperation:
        raise UnreadableError("an amount is no number") from None
    if not read.is_finite() or not -LARGEST_AMOUNT < read < LARGEST_AMOUNT:
        raise UnreadableError("an amount is out of range")
    return read.quantize(SMALLEST_STEP, context=MONEY) if read else Decimal(0)


def read_datetime(value: Any) -> datetime:
    """Read a date, a date with time (ISO 8601; UTC unless it says), or seconds since 1970.

    Raises:
        UnreadableError: It is none of these, or lies outside the years 1 to 9999.
    """
    try:
        read = _read_datetime(value)
        # In UTC already here, since the first and last hours of time have no equal there.
        return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableError("a date can't be read") from None


def _read_datetime(value: Any) -> datetime:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if not -LAST_SECOND <= value <= LAST_SECOND:
            raise UnreadableError("a date is out of range")
        return datetime.fromtimestamp(int(value), UTC)
    read = parse_datetime(value) if isinstance(value, str) else None
    day = parse_date(value) if isinstance(value, str) and read is None else None
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if read is None:
        raise UnreadableError("a date is none")
    return read
