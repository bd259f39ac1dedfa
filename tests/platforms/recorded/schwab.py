"""Charles Schwab (schwab-py's recorded preferences; the community's OpenAPI of the Trader API)."""

from typing import Any

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer


def account(number: str, kind: str, value: float) -> dict[str, Any]:
    return {
        "securitiesAccount": {
            "type": kind, "accountNumber": number, "roundTrips": 0, "isDayTrader": False,
            "initialBalances": {"cashBalance": 1.0, "liquidationValue": 1.0},
            "currentBalances": {"cashBalance": 12.0, "liquidationValue": value},
        },
        "aggregatedBalance": {"liquidationValue": value},
    }  # fmt: skip


def movement(number: int, amount: float, **values: Any) -> dict[str, Any]:
    return {
        "activityId": 9000 + number, "time": "2026-11-20T14:30:00+0000",
        "accountNumber": "11110001",
        "type": "TRADE", "status": "VALID", "subAccount": "CASH", "netAmount": amount,
        "transferItems": [{"instrument": {"symbol": "CURRENCY_USD"}, "amount": amount}], **values,
    }  # fmt: skip


PREFERENCES = {
    "accounts": [
        {"accountNumber": "11110001", "primaryAccount": True, "type": "BROKERAGE",
         "nickName": "Rainy days", "displayAcctId": "...001"},
        {"accountNumber": "11110002", "primaryAccount": False, "type": "BROKERAGE",
         "nickName": "Retirement", "displayAcctId": "...002"},
    ],
    "streamerInfo": [{"schwabClientCustomerId": "customer-9", "schwabClientCorrelId": "c-1"}],
    "offers": [{"level2Permissions": False}],
}  # fmt: skip
ACCOUNTS = "/trader/v1/accounts"
# Not every type of account tells it among its own balances.
WITHOUT_LIQUIDATION = account("11110002", "CASH", 0.1)
del WITHOUT_LIQUIDATION["securitiesAccount"]["currentBalances"]["liquidationValue"]
RECORDING = Recording(
    slug="schwab",
    tokens={
        "expires_in": 1800,
        "token_type": "Bearer",
        "scope": "api",
        "refresh_token": "refresh-N",
        "access_token": "access-N",
        "id_token": "e30.eyJzdWIiOiJ4IiwiYXVkIjoieSJ9.",
    },
    routes={
        ("GET", "/trader/v1/userPreference"): Answer(json=PREFERENCES),
        ("GET", ACCOUNTS): Answer(
            json=[WITHOUT_LIQUIDATION, account("11110001", "MARGIN", 103820.56)]
        ),
        ("GET", f"{ACCOUNTS}/accountNumbers"): Answer(
            json=[
                {"accountNumber": "11110001", "hashValue": "A1"},
                {"accountNumber": "11110002", "hashValue": "B2"},
            ]
        ),
        ("GET", f"{ACCOUNTS}/A1/transactions"): Answer(
            json=[
                movement(1, -1234.56, description="BUY TRADE"),
                movement(2, 7, type="DIVIDEND_OR_INTEREST", time="2026-11-21T05:00:00+0000"),
                movement(3, 99, status="CANCELED"),
            ]
        ),
        ("GET", f"{ACCOUNTS}/B2/transactions"): Answer(json=[]),
    },
    account_id="customer-9",
    accounts=(
        ("Retirement", "CASH", "USD", "0.1"),
        ("Rainy days", "MARGIN", "USD", "103820.56"),
    ),
    transactions=(
        ("2026-11-20T14:30:00+00:00", "-1234.56", "USD", "BUY TRADE"),
        ("2026-11-21T05:00:00+00:00", "7", "USD", "DIVIDEND_OR_INTEREST"),
    ),
    dead=(
        (
            Answer(
                400,
                json={
                    "error": "unsupported_token_type",
                    "error_description": "400 Bad Request: refresh_token_authentication_error",
                },
            ),
            "expired",
        ),
    ),
    dead_token=((Answer(401, json={"message": "Client not authorized"}), "revoked"),),
    pages=(f"{ACCOUNTS}/A1/transactions", 1),
)
