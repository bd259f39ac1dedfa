"""Alpaca: one account, which its address is, and activities of which fills tell no net amount."""

import re
from decimal import Decimal
from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.platforms.adapter import Adapter, Get
from providers import readings

# A symbol of the Options Clearing Corporation; a contract is for a hundred shares.
OPTION = re.compile(r"[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}")
SHARES_A_CONTRACT = 100


def accounts(platform: Platform, get: Get) -> list[Any]:
    """Return the one account, with its type: a multiplier of 1 is an account without margin."""
    entry = get(platform.accounts_endpoint)
    if not isinstance(entry, dict) or not entry.get("id"):
        # An error with a status of success is no account that can't be read: none was told.
        raise PlatformError("malformed", platform=platform.slug)
    kind = {"1": "cash"}.get(str(entry.get("multiplier")), "margin")
    return [{**entry, "type": kind if "multiplier" in entry else None}]


def transaction(entry: dict[str, Any]) -> dict[str, Any]:
    """Say what a fill moved, and what an activity was; others tell their net amount."""
    amount = entry.get("net_amount")
    if amount is None and entry.get("activity_type") == "FILL":
        amount = _filled(entry)
    return {**entry, "net_amount": amount, "description": _description(entry)}


def _filled(entry: dict[str, Any]) -> Decimal:
    quantity, price = readings.amount(entry.get("qty")), readings.amount(entry.get("price"))
    is_option = OPTION.fullmatch(str(entry.get("symbol")))
    paid = quantity * price * (SHARES_A_CONTRACT if is_option else 1)
    return -paid if readings.is_bought(entry.get("side")) else paid


def _description(entry: dict[str, Any]) -> str:
    parts = [entry.get(name) for name in ("activity_type", "side", "qty", "symbol")]
    return str(entry.get("description") or " ".join(str(one) for one in parts if one))


adapter = Adapter(accounts=accounts, transaction=transaction)
