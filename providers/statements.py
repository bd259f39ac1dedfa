"""Read a provider's accounts and transactions, as the catalogue says where they stand."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from urllib.parse import quote

from django.utils import timezone

from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError, is_locked_out
from connections_project.oauth.identity import fetch
from connections_project.oauth.paths import dig, dig_first
from connections_project.oauth.transport import Answer
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.registry import Upstream
from providers import readings
from providers.currencies import from_minor_units
from providers.paging import List, Listed, read_list
from providers.readings import UnreadableError

logger = logging.getLogger(__name__)

SECONDS_A_CALL = 10.0
SECONDS_IN_ALL = 30.0
# Some platforms refuse what is older. A little less, since the call comes after the reckoning.
RECENT = timedelta(days=90) - timedelta(minutes=5)


class NotReadableError(Exception):
    """Neither the catalogue nor an adapter says how accounts are read at this platform."""


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
        is_whole: Whether these, and the balance, are all that the provider has.
        knows_balance: Whether it was asked in vain for the balance, which says nothing of it.
    """

    platform_account_id: str
    name: str
    type: str
    currency: str
    balance: Decimal | None
    movements: list[Movement]
    is_whole: bool
    knows_balance: bool = True


@dataclass
class Reader:
    """Reads on one user's behalf, for so long in all.

    Args:
        ends_at: On the monotonic clock.
        insists: Whether a token that is refused beside the list of accounts ends the reading.
    """

    platform: Platform
    access_token: str = field(repr=False)
    ends_at: float
    until: datetime
    insists: bool = False
    bytes_read: int = 0

    @property
    def since(self) -> datetime:
        return self.until - RECENT

    def get(self, url: str) -> Any:
        return self.ask(url).json()

    def ask(self, url: str) -> Answer:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise PlatformError("timeout", platform=self.platform.slug)
        within = min(left, SECONDS_A_CALL)
        answer = fetch(self.platform, url=url, access_token=self.access_token, within=within)
        self.bytes_read += len(answer.body)
        return answer

    def require_let_in(self, error: PlatformError) -> None:
        """Raise an error again that a fresh token may mend, where there may be one."""
        if self.insists and is_locked_out(error):
            raise error

    def address(self, template: str, path_id: str) -> str:
        """Fill in the placeholders of an address."""
        filled = template.replace("{account_id}", quote(path_id, safe=""))
        for name, moment in (("from", self.since), ("to", self.until)):
            moment = moment.astimezone(UTC)
            time_told = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            filled = filled.replace(f"{{{name}_date}}", moment.date().isoformat())
            filled = filled.replace(f"{{{name}_time}}", quote(time_told, safe=""))
        return filled


def read_statements(
    upstream: Upstream, *, access_token: str, insists: bool = False
) -> Iterator[Statement | None]:
    """Return all accounts from the provider, with each one's recent transactions.

    Args:
        insists: See `Reader`.

    Yields:
        A statement an account; None for one that can't be read, or for those cut off.

    Raises:
        NotReadableError: Nobody says how.
        PlatformError: The list of accounts can't be had, or the token ran out meanwhile.
    """
    ends_at = time.monotonic() + SECONDS_IN_ALL
    reader = Reader(upstream.platform, access_token, ends_at, timezone.now(), insists)
    listed = _accounts(reader)
    for entry in listed.entries:
        yield _statement(reader, entry)
    if not listed.is_whole:
        yield None


def _accounts(reader: Reader) -> Listed:
    platform, by_adapter = reader.platform, adapter_of(reader.platform).accounts
    if by_adapter is not None:
        return Listed(by_adapter(platform, reader.get))
    if not platform.accounts_endpoint:
        raise NotReadableError(platform.slug)
    id_path = platform.account_fields["id"]
    listed = read_list(reader, List(platform.accounts_endpoint, platform.accounts_field, id_path))
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
        movements, is_whole = _movements(reader, path_id, currency)
        return Statement(
            platform_account_id=account_id,
            name=readings.text(fields["name"], longest=255),
            type=readings.text(fields["type"], longest=64),
            currency=currency,
            balance=_money(balances["balance"], currency, platform) if balances else None,
            movements=movements,
            is_whole=is_whole and balances is not None,
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
        reader.require_let_in(error)
        logger.warning("%s: a balance can't be had: %s", platform.slug, error)
        return None
    fields = Fields(document, platform.balance_fields)
    return fields if fields["balance"] is not None else None


def _money(value: Any, currency: str, platform: Platform) -> Decimal | None:
    amount = readings.optional_amount(value)
    if amount is None or not platform.minor_units:
        return amount
    return readings.amount(from_minor_units(amount, currency))


def _movements(reader: Reader, path_id: str, currency: str) -> tuple[list[Movement], bool]:
    """Return an account's transactions, and whether these are all that there are."""
    platform = reader.platform
    try:
        listed = _transactions(reader, path_id)
    except PlatformError as error:
        reader.require_let_in(error)
        logger.warning("%s: transactions can't be had: %s", platform.slug, error)
        return [], False
    moving = [entry for entry in listed.entries if not _is_excluded(entry, platform)]
    read = [_movement(entry, platform, currency) for entry in moving]
    if missing := read.count(None):
        logger.warning("%s: %d transactions can't be read", platform.slug, missing)
    found = [one for one in read if isinstance(one, Movement)]
    return found, listed.is_whole and not missing


def _transactions(reader: Reader, path_id: str) -> Listed:
    platform, by_adapter = reader.platform, adapter_of(reader.platform).transactions
    if by_adapter is not None:
        return Listed(by_adapter(platform, reader.get, path_id))
    if not platform.transactions_endpoint:
        return Listed([])
    if not path_id:
        # The address of its transactions is missing, which must not read as "there are none".
        raise PlatformError("malformed", platform=platform.slug)
    wanted = List(
        reader.address(platform.transactions_endpoint, path_id),
        platform.transactions_field,
        platform.transaction_fields["id"],
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


def _movement(entry: Any, platform: Platform, currency: str) -> Movement | _NoMovement | None:
    """Read a transaction; None where it can't be read."""
    by_adapter = adapter_of(platform).transaction
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
