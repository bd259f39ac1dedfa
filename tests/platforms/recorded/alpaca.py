"""Alpaca (its documents: OAuth, the account, account activities)."""

from typing import Any

from tests.platforms.recorded.recording import Recording, by_query
from tests.support.platform_server import Answer


def fill(number: int, side: str, quantity: str, price: str, symbol: str) -> dict[str, Any]:
    return {
        "id": f"202611{number}195955::{number}", "activity_type": "FILL", "type": "fill",
        "transaction_time": f"2026-11-{number}T18:43:20.123456Z", "side": side, "qty": quantity,
        "price": price, "symbol": symbol, "cum_qty": quantity, "leaves_qty": "0",
        "order_id": f"order-{number}",
    }  # fmt: skip


def other(number: int, kind: str, amount: str) -> dict[str, Any]:
    return {
        "id": f"202611{number}000000::{number}", "activity_type": kind, "date": f"2026-11-{number}",
        "net_amount": amount, "symbol": "T", "qty": "2", "per_share_amount": "0.51",
        "status": "executed",
    }  # fmt: skip


ACTIVITIES = "/v2/account/activities"
# A page is full with a hundred: of the first two, all but the last entry are the same one.
FIRST = [*[fill(20, "buy", "1.5", "10.01", "AAPL")] * 99, other(19, "DIV", "1.02")]
SECOND = [*[fill(18, "sell", "2", "1.1", "AAPL261218C00220000")] * 99,
          fill(17, "sell_short", "3", "0.333333333", "DOGE/USD")]  # fmt: skip
ACCOUNT = {
    "id": "account-9", "account_number": "010203ABCD", "status": "ACTIVE", "currency": "USD",
    "cash": "-23140.2", "portfolio_value": "103820.56", "equity": "103820.56", "multiplier": "4",
    "pattern_day_trader": False, "shorting_enabled": True,
}  # fmt: skip
RECORDING = Recording(
    slug="alpaca",
    tokens={"access_token": "access-N", "token_type": "bearer", "scope": "account:write trading"},
    routes={
        ("GET", "/v2/account"): Answer(json=ACCOUNT),
        ("GET", ACTIVITIES): by_query(
            "page_token",
            {
                None: FIRST,
                FIRST[-1]["id"]: SECOND,
                SECOND[-1]["id"]: [
                    other(16, "CSD", "1000"),
                    {**other(14, "DIV", "9.99"), "status": "canceled"},
                    fill(15, "buy", "123456789.123456789", "98765.123456789", "BTC/USD"),
                ],
            },
        ),
    },
    account_id="account-9",
    account_name="010203ABCD",
    accounts=(("010203ABCD", "margin", "USD", "103820.56"),),
    transactions=(
        (
            "2026-11-15T18:43:20.123456+00:00",
            "-12193225019356.975197684750190521",
            "USD",
            "FILL buy 123456789.123456789 BTC/USD",
        ),
        ("2026-11-16T00:00:00+00:00", "1000", "USD", "CSD 2 T"),
        ("2026-11-17T18:43:20.123456+00:00", "0.999999999", "USD", "FILL sell_short 3 DOGE/USD"),
        ("2026-11-18T18:43:20.123456+00:00", "220", "USD", "FILL sell 2 AAPL261218C00220000"),
        ("2026-11-19T00:00:00+00:00", "1.02", "USD", "DIV 2 T"),
        ("2026-11-20T18:43:20.123456+00:00", "-15.015", "USD", "FILL buy 1.5 AAPL"),
    ),
    dead_token=(
        (Answer(401, json={"code": 40110000, "message": "request is not authorized"}), "revoked"),
    ),
    pages=(ACTIVITIES, 3),
)
