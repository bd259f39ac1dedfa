"""TradeStation: it tells no transactions, but the orders that made them."""

from decimal import Decimal
from typing import Any

from connections_project.platforms.adapter import Adapter
from providers import readings
from providers.readings import UnreadableError

# What one of it moves, in shares.
SHARES = {"STOCK": 1, "STOCKOPTION": 100, "INDEXOPTION": 100}
# Move no cash when they are bought.
CASHLESS = frozenset({"FUTURE", "FOREX"})
# Filled, or filled in part and over or still open.
FILLED = frozenset({"FLL", "FLP", "FPR"})
COSTS = ("CommissionFee", "UnbundledRouteFee")


def transaction(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Say what an order moved; None where nothing of it was filled, or no cash moved."""
    legs = entry.get("Legs")
    if not legs and entry.get("Status") in FILLED:
        raise UnreadableError("a filled order has no legs")
    filled = [leg for leg in legs if _is_filled(leg)] if isinstance(legs, list) else []
    filled = [leg for leg in filled if _kind(leg) not in CASHLESS]
    if not filled:
        return None
    whole = entry.get("FilledPrice") if len(filled) == 1 else None
    moved = sum((_moved(leg, whole) for leg in filled), Decimal(0))
    costs = sum((readings.amount(entry.get(name) or 0) for name in COSTS), Decimal(0))
    return {**entry, "amount": moved - costs, "description": _description(filled)}


def _is_filled(leg: Any) -> bool:
    return isinstance(leg, dict) and readings.amount(leg.get("ExecQuantity") or 0) > 0


def _kind(leg: dict[str, Any]) -> str:
    return str(leg.get("AssetType") or "STOCK").upper()


def _moved(leg: dict[str, Any], price_of_order: Any) -> Decimal:
    if (kind := _kind(leg)) not in SHARES:
        # Of what one moves nothing is known, which is not that it moves nothing.
        raise UnreadableError("an order is of an unknown kind")
    price = readings.amount(leg.get("ExecutionPrice") or price_of_order)
    paid = readings.amount(leg["ExecQuantity"]) * price * SHARES[kind]
    return -paid if readings.is_bought(leg.get("BuyOrSell")) else paid


def _description(legs: list[dict[str, Any]]) -> str:
    columns = ("BuyOrSell", "ExecQuantity", "Symbol")
    return ", ".join(" ".join(str(leg.get(name, "")) for name in columns) for leg in legs)


adapter = Adapter(transaction=transaction)
