"""Read a provider's accounts and transactions, as the catalogue says where they stand."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.paths import dig, dig_first
from connections_project.platforms.adapter import ReadTransaction, adapter_of
from providers import readings
from providers.currencies import from_minor_units
from providers.paging import List, Listed, read_list
from providers.reader import Reader
from providers.readings import UnreadableError
from providers.turns import computing

logger = logging.getLogger(__name__)

# More accounts could hardly be read in time, with a call for each.
MOST_ACCOUNTS = 1_000


class NotReadableError(Exception):
    """Neither the catalogue nor an adapter says how accounts are read at this platform."""


@dataclass(frozen=True, slots=True)
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
        path_id: What stands for it in addresses.
        knows_balance: Whether it was asked in vain for the balance, which says nothing of it.
    """

    platform_account_id: str
    path_id: str
    name: str
    type: str
    currency: str
    balance: Decimal | None
    knows_balance: bool = True


@dataclass(frozen=True)
class Movements:
    """An account's recent transactions, those that could be read.

    Args:
        is_whole: Whether these are all that the provider has.
    """

    found: list[Movement]
    is_whole: bool


def read_statements(reader: Reader) -> list[Statement | None]:
    """Return all accounts from the provider.

    Returns:
        A statement an account; None for one that can't be read, or for those cut off.

    Raises:
        NotReadableError: Nobody says how.
        PlatformError: The list of accounts can't be had.
    """
    listed = _accounts(reader)
    read = [_statement(reader, entry) for entry in listed.entries]
    return read if listed.is_whole else [*read, None]


def _accounts(reader: Reader) -> Listed:
    platform, by_adapter = reader.platform, adapter_of(reader.platform).accounts
    if by_adapter is not None:
        return Listed(by_adapter(platform, reader.get)).cut_to(MOST_ACCOUNTS)
    if not platform.accounts_endpoint:
        raise NotReadableError(platform.slug)
    id_path = platform.account_fields["id"]
    wanted = List(platform.accounts_endpoint, platform.accounts_field, id_path, most=MOST_ACCOUNTS)
    listed = read_list(reader, wanted)
    if listed.error is not None:
        # Accounts that are missing would look as if they were no more.
        raise listed.error
    return listed


def _statement(reader: Reader, entry: Any) -> Statement | None:
    platform, fields = reader.platform, Fields(entry, reader.platform.account_fields)
    try:
        account_id = readings.identifier(fields["id"])
        path_id = readings.text(fields["path_id"], longest=255) if fields.has("path_id") else None
        path_id = account_id if path_id is None else path_id
        balances = _balance_fields(reader, path_id) if platform.balance_endpoint else fields
        currency = readings.currency(
            fields["currency"] or (balances and balances["currency"]) or platform.currency
        )
        return Statement(
            platform_account_id=account_id,
            path_id=path_id,
            name=readings.text(fields["name"], longest=255),
            type=readings.text(fields["type"], longest=64),
            currency=currency,
            balance=_money(balances["balance"], currency, platform) if balances else None,
            knows_balance=balances is not None,
        )
    except UnreadableError as error:
        logger.warning("%s: an account can't be read: %s", platform.slug, error)
        return None


def _balance_fields(reader: Reader, path_id: str) -> "Fields | None":
    """Ask for an account's balance, where it stands at another address; None if in vain."""
    platform = reader.platform
    try:
        document = reader.get(reader.address(platform.balance_endpoint, path_id))
    except PlatformError as error:
        logger.warning("%s: a balance can't be had: %s", platform.slug, error)
        return None
    fields = Fields(document, platform.balance_fields)
    return fields if fields["balance"] is not None else None


def _money(value: Any, currency: str, platform: Platform) -> Decimal | None:
    amount = readings.optional_amount(value)
    if amount is None or not platform.minor_units:
        return amount
    return readings.amount(from_minor_units(amount, currency))


def read_movements(reader: Reader, statement: Statement) -> Movements:
    """Return an account's transactions, as many as there is still room for."""
    platform = reader.platform
    try:
        listed = _transactions(reader, statement.path_id)
    except PlatformError as error:
        logger.warning("%s: transactions can't be had: %s", platform.slug, error)
        return Movements([], is_whole=False)
    reader.room -= len(listed.entries)
    with computing:
        return _read_entries(listed, platform, statement)


def _read_entries(listed: Listed, platform: Platform, statement: Statement) -> Movements:
    moving = [entry for entry in listed.entries if not _is_excluded(entry, platform)]
    # Looked for once: there may be thousands of entries.
    by_adapter = adapter_of(platform).transaction
    read = [_movement(one, platform, statement.currency, by_adapter) for one in moving]
    if missing := read.count(None):
        logger.warning("%s: %d transactions can't be read", platform.slug, missing)
    found = [one for one in read if isinstance(one, Movement)]
    return Movements(found, is_whole=listed.is_whole and not missing)


def _transactions(reader: Reader, path_id: str) -> Listed:
    platform, by_adapter = reader.platform, adapter_of(reader.platform).transactions
    if by_adapter is not None:
        return Listed(by_adapter(platform, reader.get, path_id)).cut_to(reader.room)
    if not platform.transactions_endpoint:
        return Listed([])
    if not path_id:
        # The address of its transactions is missing, which must not read as "there are none".
        raise PlatformError("malformed", platform=platform.slug)
    wanted = List(
        reader.address(platform.transactions_endpoint, path_id),
        platform.transactions_field,
        platform.transaction_fields["id"],
        most=reader.room,
        is_enough=lambda entry: platform.transactions_newest_first and _is_old(entry, reader),
    )
    return read_list(reader, wanted)


def _is_old(entry: Any, reader: Reader) -> bool:
    posted_at = Fields(entry, reader.platform.transaction_fields)["posted_at"]
    try:
        return readings.read_datetime(posted_at) < reader.since
    except UnreadableError:
        return False


def _is_excluded(entry: Any, platform: Platform) -> bool:
    """Whether the catalogue says that an entry moved no money, such as a declined payment."""
    return any(
        isinstance(value := dig(entry, path), str) and value and ("*" in texts or value in texts)
        for path, texts in platform.transaction_excluded.items()
    )


class _NoMovement:
    """What an adapter says of an entry that moved no money."""


def _movement(
    entry: Any, platform: Platform, currency: str, by_adapter: ReadTransaction | None
) -> Movement | _NoMovement | None:
    """Read a transaction; None where it can't be read."""
    try:
        if by_adapter is not None:
            # What it reckons is money, for which the usual 28 digits are too few.
            with localcontext(readings.MONEY):
                entry = by_adapter(entry) if isinstance(entry, dict) else None
            if entry is None:
                return _NoMovement()
        fields = Fields(entry, platform.transaction_fields)
        own_currency = readings.currency(fields["currency"]) or currency
        return Movement(
            platform_transaction_id=readings.identifier(fields["id"]),
            posted_at=readings.read_datetime(fields["posted_at"]),
            amount=_amount(fields["amount"], own_currency, platform),
            currency=own_currency,
            description=readings.text(fields["description"], longest=512),
        )
    except UnreadableError:
        # Counted by the caller: there may be thousands.
        return None


def _amount(value: Any, currency: str, platform: Platform) -> Decimal:
    amount = readings.amount(value)
    return readings.amount(from_minor_units(amount, currency)) if platform.minor_units else amount


@dataclass(frozen=True)
class Fields:
    """An entry of a provider's list, by our names; `paths` say where the catalogue finds them."""

    entry: Any
    paths: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return dig_first(self.entry, self.paths[name])

    def has(self, name: str) -> bool:
        """Whether the catalogue says where to find it."""
        return bool(self.paths.get(name))
