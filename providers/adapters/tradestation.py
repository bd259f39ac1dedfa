"""TradeStation: it tells no transactions, but the orders that made them."""

from decimal import Decimal
from typing import Any

from connections_project.platforms.adapter import Adapter
from providers import readings

# What one of it moves, in shares. Futures and currencies move no cash when they are bought.
SHARES = {"STOCK": 1, "STOCKOPTION": 100}
COSTS = ("CommissionFee", "UnbundledRouteFee")


def transaction(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Say what an order moved; None where nothing of it was filled, or no cash moved."""
    legs = entry.get("Legs")
    filled = [leg for leg in legs if _is_filled(leg)] if isinstance(legs, list) else []
    if not filled or any(str(leg.get("AssetType", "STOCK")) not in SHARES for leg in filled):
        return None
    whole = entry.get("FilledPrice") if len(filled) == 1 else None
    moved = sum((_moved(leg, whole) for leg in filled), Decimal(0))
    costs = sum((readings.amount(entry.get(name) or 0) for name in COSTS), Decimal(0))
    return {**entry, "amount": moved - costs, "description": _description(filled)}


def _is_filled(leg: Any) -> bool:
    return isinstance(leg, dict) and readings.amount(leg.get("ExecQuantity") or 0) > 0


def _moved(leg: dict[str, Any], price_of_order: Any) -> Decimal:
    price = readings.amount(leg.get("ExecutionPrice") or price_of_order)
    paid = readings.amount(leg["ExecQuantity"]) * price * SHARES[leg.get("AssetType", "STOCK")]
    return -paid if str(leg.get("BuyOrSell", "")).startswith("Buy") else paid


def _description(legs: list[dict[str, Any]]) -> str:
    columns = ("BuyOrSell", "ExecQuantity", "Symbol")
    return ", ".join(" ".join(str(leg.get(name, "")) for name in columns) for leg in legs)


adapter = Adapter(transaction=transaction)
