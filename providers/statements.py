"""Read a provider's accounts and transactions, as the catalogue says where they stand."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from django.utils.dateparse import parse_date, parse_datetime

from connections_project.oauth import client
from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.paths import dig
from connections_project.platforms.registry import Upstream

logger = logging.getLogger(__name__)

# What the columns hold: 20 digits before the point and 18 behind it.
LARGEST_AMOUNT = Decimal(10) ** 20
SECONDS_A_CALL = 10.0
SECONDS_IN_ALL = 30.0
SMALLEST_STEP = Decimal(10) ** -18


class UnreadableError(ValueError):
    """An entry of a provider's list that can't be what it should be."""


@dataclass(frozen=True)
class Movement:
    """A transaction as the provider tells it."""

    platform_transaction_id: str
    posted_at: datetime
    amount: Decimal
    currency: str
    description: str


@dataclass(frozen=True)
class Statement:
    """An account as the provider tells it.

    Args:
        movements: Its recent transactions; None where they could not be read.
    """

    platform_account_id: str
    name: str
    type: str
    currency: str
    balance: Decimal | None
    movements: list[Movement] | None


def read_statements(upstream: Upstream, *, access_token: str) -> Iterator[Statement | None]:
    """Ask the provider for all accounts, and for each one's recent transactions.

    Yields:
        A statement an account; None for one that can't be read.

    Raises:
        PlatformError: The list of accounts can't be had.
    """
    platform = upstream.platform
    if not platform.accounts_endpoint:
        return
    reader = Reader(upstream, access_token, ends_at=time.monotonic() + SECONDS_IN_ALL)
    document = reader.get(platform.accounts_endpoint)
    for entry in _list(document, platform.accounts_field, platform):
        yield _statement(reader, entry)


@dataclass(frozen=True)
class Reader:
    """Reads on one user's behalf, for so long in all; `ends_at` is on the monotonic clock."""

    upstream: Upstream
    access_token: str
    ends_at: float

    @property
    def platform(self) -> Platform:
        return self.upstream.platform

    def get(self, url: str) -> Any:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise PlatformError("timeout", platform=self.platform.slug)
        return client.fetch_json(
            self.platform,
            self.upstream.registration,
            url=url,
            access_token=self.access_token,
            within=min(left, SECONDS_A_CALL),
        )


def _statement(reader: Reader, entry: Any) -> Statement | None:
    fields = reader.platform.account_fields
    try:
        account_id = _identifier(dig(entry, fields["id"]))
        return Statement(
            platform_account_id=account_id,
            name=_text(dig(entry, fields["name"]), 255),
            type=_text(dig(entry, fields["type"]), 64),
            currency=_text(dig(entry, fields["currency"]), 16),
            balance=_optional_amount(dig(entry, fields["balance"])),
            movements=_movements(reader, account_id),
        )
    except UnreadableError as error:
        logger.warning("%s: an account can't be read: %s", reader.platform.slug, error)
        return None


def _movements(reader: Reader, account_id: str) -> list[Movement] | None:
    platform = reader.platform
    if not platform.transactions_endpoint:
        return []
    url = platform.transactions_endpoint.replace("{account_id}", quote(account_id, safe=""))
    try:
        entries = _list(reader.get(url), platform.transactions_field, platform)
        return [_movement(entry, platform.transaction_fields) for entry in entries]
    except (PlatformError, UnreadableError) as error:
        logger.warning("%s: transactions can't be read: %s", platform.slug, error)
        return None


def _movement(entry: Any, fields: Any) -> Movement:
    return Movement(
        platform_transaction_id=_identifier(dig(entry, fields["id"])),
        posted_at=_moment(dig(entry, fields["posted_at"])),
        amount=_amount(dig(entry, fields["amount"])),
        currency=_text(dig(entry, fields["currency"]), 16),
        description=_text(dig(entry, fields["description"]), 512),
    )


def _list(document: Any, path: str, platform: Platform) -> list[Any]:
    found = dig(document, path)
    if not isinstance(found, list):
        raise PlatformError("malformed", platform=platform.slug)
    return found


def _identifier(value: Any) -> str:
    text = _text(value, 256)
    if not text or len(text) > 255:
        # Cutting an id short would make two things one.
        raise UnreadableError("an id is missing or too long")
    return text


def _text(value: Any, longest: int) -> str:
    """Take text as a column can hold it; a number is taken for its digits."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise UnreadableError("a text is something else")
    return "".join(each if each.isprintable() else " " for each in str(value)).strip()[:longest]


def _optional_amount(value: Any) -> Decimal | None:
    return None if value is None else _amount(value)


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise UnreadableError("an amount is no number")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise UnreadableError("an amount is no number") from None
    if not amount.is_finite() or abs(amount) >= LARGEST_AMOUNT:
        raise UnreadableError("an amount is out of range")
    return amount.quantize(SMALLEST_STEP) if amount else Decimal(0)


def _moment(value: Any) -> datetime:
    """Read a date, a date with time (ISO 8601), or seconds since 1970."""
    try:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return datetime.fromtimestamp(int(value), UTC)
        moment = parse_datetime(value) if isinstance(value, str) else None
        day = parse_date(value) if isinstance(value, str) and moment is None else None
    except (ValueError, OverflowError, OSError):
        raise UnreadableError("a date can't be read") from None
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if moment is None:
        raise UnreadableError("a date can't be read")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
