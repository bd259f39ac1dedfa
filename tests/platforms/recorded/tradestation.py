"""TradeStation (its OpenAPI: accounts, balances, historical orders; Auth0 for its tokens)."""

from typing import Any

from tests.platforms.recorded.recording import Recording, by_query
from tests.support.platform_server import Answer


def leg(side: str, quantity: str, price: str, symbol: str, kind: str = "STOCK") -> dict[str, Any]:
    return {
        "AssetType": kind, "BuyOrSell": side, "ExecQuantity": quantity, "ExecutionPrice": price,
        "OpenOrClose": "Open", "QuantityOrdered": quantity, "QuantityRemaining": "0",
        "Symbol": symbol,
    }  # fmt: skip


def order(number: int, *legs: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "AccountID": "123456782", "ClosedDateTime": f"2026-11-{number:02}T19:54:01Z",
        "CommissionFee": "1.5", "Currency": "USD", "Duration": "DAY", "FilledPrice": "216.68",
        "Legs": list(legs), "OpenedDateTime": f"2026-11-{number:02}T19:53:58Z",
        "OrderID": f"28624{number:03}", "OrderType": "Market", "Status": "FLL",
        "StatusDescription": "Filled", "UnbundledRouteFee": "0", **values,
    }  # fmt: skip


def account(number: str, kind: str) -> dict[str, Any]:
    return {
        "AccountID": number, "Currency": "USD", "Status": "Active", "AccountType": kind,
        "AccountDetail": {"IsStockLocateEligible": False},
    }  # fmt: skip


def balances(number: str, equity: str) -> Answer:
    balance = {"AccountID": number, "AccountType": "Margin", "CashBalance": "1.1", "Equity": equity}
    return Answer(json={"Balances": [balance], "Errors": []})


UNFILLED = order(9, leg("Buy", "0", "0", "MSFT"), Status="CAN", FilledPrice="0")
BROKERAGE = "/v3/brokerage/accounts"
ORDERS = f"{BROKERAGE}/123456782/historicalorders"
RECORDING = Recording(
    slug="tradestation",
    tokens={
        "access_token": "access-N",
        "refresh_token": "refresh-N",
        "token_type": "Bearer",
        "expires_in": 1200,
        "scope": "openid profile ReadAccount offline_access",
        # {"sub": "auth0|9", "aud": "our client"}
        "id_token": "e30.eyJzdWIiOiAiYXV0aDB8OSIsICJhdWQiOiAib3VyIGNsaWVudCJ9.",
    },
    routes={
        ("GET", BROKERAGE): Answer(
            json={
                "Accounts": [
                    {**account("123456782", "Margin"), "Alias": "Swing"},
                    account("123456783", "Futures"),
                ]
            }
        ),
        ("GET", f"{BROKERAGE}/123456782/balances"): balances("123456782", "11080.125"),
        ("GET", f"{BROKERAGE}/123456783/balances"): balances("123456783", "0"),
        ("GET", ORDERS): by_query(
            "nextToken",
            {
                None: {
                    "Orders": [order(20, leg("Buy", "10", "216.68", "MSFT"))],
                    "NextToken": "p+2==",
                },
                "p+2==": {
                    "Orders": [
                        order(19, leg("Sell", "2", "1.25", "MSFT 261218C220", "STOCKOPTION")),
                        UNFILLED,
                    ],
                    "NextToken": "p3",
                },
                "p3": {
                    "Orders": [
                        order(18, leg("SellShort", "0.5", "100", "AAPL")),
                        order(17, leg("BuyToOpen", "1", "5", "SPXW 261218C6000", "INDEXOPTION")),
                        order(16, leg("Buy", "1", "6000", "ESZ26", "FUTURE")),
                        order(15, {**leg("BUY", "1", "7", "KO"), "AssetType": None}),
                    ],
                    "Errors": [],
                },
            },
        ),
        ("GET", f"{BROKERAGE}/123456783/historicalorders"): Answer(json={"Orders": []}),
    },
    account_id="auth0|9",
    accounts=(
        ("Swing", "Margin", "USD", "11080.125"),
        ("123456783", "Futures", "USD", "0"),
    ),
    transactions=(
        ("2026-11-15T19:54:01+00:00", "-8.5", "USD", "BUY 1 KO"),
        ("2026-11-17T19:54:01+00:00", "-501.5", "USD", "BuyToOpen 1 SPXW 261218C6000"),
        ("2026-11-18T19:54:01+00:00", "48.5", "USD", "SellShort 0.5 AAPL"),
        ("2026-11-19T19:54:01+00:00", "248.5", "USD", "Sell 2 MSFT 261218C220"),
        ("2026-11-20T19:54:01+00:00", "-2168.3", "USD", "Buy 10 MSFT"),
    ),
    dead=(
        (
            Answer(
                403,
                json={
                    "error": "invalid_grant",
                    "error_description": "Unknown or invalid refresh token.",
                },
            ),
            "expired",
        ),
    ),
    dead_token=((Answer(401, json={"Error": "Unauthorized", "Message": "…"}), "expired"),),
    pages=(ORDERS, 3),
)
