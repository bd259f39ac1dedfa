"""Read a provider's accounts and transactions, as the catalogue says where they stand."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from connections_project.oauth import client
from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.registry import Upstream
from providers import readings
from providers.readings import UnreadableError

logger = logging.getLogger(__name__)

SECONDS_A_CALL = 10.0
SECONDS_IN_ALL = 30.0


@dataclass(frozen=True)
class Movement:
    """A transaction as the provider returns it."""

    platform_transaction_id: str
    posted_at: datetime
    amount: Decimal
    currency: str
    description: str


@dataclass(frozen=True)
class Statement:
    """An account as the provider returns it.

    Args:
        movements: Those of its recent transactions that could be read.
        is_whole: Whether these are all that the provider has.
    """

    platform_account_id: str
    name: str
    type: str
    currency: str
    balance: Decimal | None
    movements: list[Movement]
    is_whole: bool


@dataclass(frozen=True)
class Reader:
    """Reads on one user's behalf, for so long in all; `ends_at` is on the monotonic clock."""

    upstream: Upstream
    access_token: str = field(repr=False)
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


def read_statements(upstream: Upstream, *, access_token: str) -> Iterator[Statement | None]:
    """Return all accounts from the provider, with each one's recent transactions.

    Yields:
        A statement an account; None for one that can't be read.

    Raises:
        PlatformError: The list of accounts can't be had.
    """
    reader = Reader(upstream, access_token, ends_at=time.monotonic() + SECONDS_IN_ALL)
    for entry in _accounts(reader):
        yield _statement(reader, entry)


def _accounts(reader: Reader) -> list[Any]:
    platform, by_adapter = reader.platform, adapter_of(reader.platform).accounts
    if by_adapter is not None:
        return by_adapter(platform, reader.get)
    if not platform.accounts_endpoint:
        return []
    return _list(reader.get(platform.accounts_endpoint), platform.accounts_field, platform)


def _statement(reader: Reader, entry: Any) -> Statement | None:
    fields = Fields(entry, reader.platform.account_fields)
    try:
        account_id = readings.identifier(fields["id"])
        movements, is_whole = _movements(reader, account_id)
        return Statement(
            platform_account_id=account_id,
            name=readings.text(fields["name"], longest=255),
            type=readings.text(fields["type"], longest=64),
            currency=readings.text(fields["currency"], longest=16),
            balance=readings.optional_amount(fields["balance"]),
            movements=movements,
            is_whole=is_whole,
        )
    except UnreadableError as error:
        logger.warning("%s: an account can't be read: %s", reader.platform.slug, error)
        return None


def _movements(reader: Reader, account_id: str) -> tuple[list[Movement], bool]:
    """Return an account's transactions, and whether these are all that were returned."""
    platform = reader.platform
    try:
        entries = _transactions(reader, account_id)
    except PlatformError as error:
        logger.warning("%s: transactions can't be had: %s", platform.slug, error)
        return [], False
    read = [one for entry in entries if (one := _movement(entry, platform)) is not None]
    if missing := len(entries) - len(read):
        logger.warning("%s: %d transactions can't be read", platform.slug, missing)
    return read, not missing


def _transactions(reader: Reader, account_id: str) -> list[Any]:
    platform, by_adapter = reader.platform, adapter_of(reader.platform).transactions
    if by_adapter is not None:
        return by_adapter(platform, reader.get, account_id)
    if not platform.transactions_endpoint:
        return []
    url = platform.transactions_endpoint.replace("{account_id}", quote(account_id, safe=""))
    return _list(reader.get(url), platform.transactions_field, platform)


def _movement(entry: Any, platform: Platform) -> Movement | None:
    fields = Fields(entry, platform.transaction_fields)
    try:
        return Movement(
            platform_transaction_id=readings.identifier(fields["id"]),
            posted_at=readings.read_datetime(fields["posted_at"]),
            amount=readings.amount(fields["amount"]),
            currency=readings.text(fields["currency"], longest=16),
            description=readings.text(fields["description"], longest=512),
        )
    except UnreadableError:
        # Counted by the caller: there may be thousands.
        return None


@dataclass(frozen=True)
class Fields:
    """An entry of a provider's list, by our names; `paths` say where the catalogue finds them."""

    entry: Any
    paths: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        # An empty path would be the entry itself: here it says that the provider has no such field.
        return dig(self.entry, self.paths[name]) if self.paths[name] else None


def _list(document: Any, path: str, platform: Platform) -> list[Any]:
    found = dig(document, path)
    if not isinstance(found, list):
        raise PlatformError("malformed", platform=platform.slug)
    return found
