"""Coinbase (docs.cdp.coinbase.com/coinbase-app: accounts, transactions, pagination)."""

from typing import Any

from tests.platforms.recorded.recording import Recording, by_query
from tests.support.platform_server import Answer


def page(entries: list[Any], next_uri: str | None) -> dict[str, Any]:
    paging = {"ending_before": None, "starting_after": None, "previous_ending_before": None}
    more = {"limit": 100, "order": "desc", "previous_uri": None, "next_uri": next_uri}
    return {"pagination": {**paging, **more}, "data": entries}


def account(number: int, code: str, amount: str, **values: Any) -> dict[str, Any]:
    return {
        "id": f"acc-{number}", "name": f"{code} Wallet", "primary": False, "type": "wallet",
        "currency": {"code": code, "name": code, "exponent": 8, "type": "crypto"},
        "balance": {"amount": amount, "currency": code},
        "created_at": "2025-01-31T20:49:02Z", "updated_at": "2025-01-31T20:49:02Z",
        "resource": "account", "resource_path": f"/v2/accounts/acc-{number}", **values,
    }  # fmt: skip


def movement(number: int, amount: str, time: str, **values: Any) -> dict[str, Any]:
    return {
        "id": f"tx-{number}", "type": "send", "status": "completed",
        "amount": {"amount": amount, "currency": "BTC"},
        "native_amount": {"amount": "-1.00", "currency": "USD"},
        "description": None, "created_at": time, "updated_at": time, "resource": "transaction",
        "details": {"title": "Sent Bitcoin", "subtitle": "To somebody"}, **values,
    }  # fmt: skip


ACCOUNTS = "/v2/accounts"
BTC = f"{ACCOUNTS}/acc-1/transactions"
FIAT: dict[str, Any] = {"name": "Cash", "type": "fiat"}
RECORDING = Recording(
    slug="coinbase",
    tokens={
        "access_token": "access-N",
        "refresh_token": "refresh-N",
        "token_type": "bearer",
        "expires_in": 3599,
        "scope": "wallet:user:read wallet:accounts:read wallet:transactions:read offline_access",
    },
    routes={
        ("GET", "/v2/user"): Answer(
            json={"data": {"id": "user-9", "name": "Ada", "username": None}}
        ),
        ("GET", ACCOUNTS): by_query(
            "starting_after",
            {
                None: page(
                    [account(1, "BTC", "39.590000000000000001")],
                    "/v2/accounts?limit=100&starting_after=acc-1",
                ),
                "acc-1": page(
                    [account(2, "ETH", "0.00")], "/v2/accounts?limit=100&starting_after=acc-2"
                ),
                "acc-2": page([account(3, "EUR", "12.30", **FIAT)], None),
            },
        ),
        ("GET", BTC): by_query(
            "starting_after",
            {
                None: page(
                    [
                        movement(
                            3,
                            "-0.000000000000000001",
                            "2026-11-20T10:00:00Z",
                            description="for the cake",
                        )
                    ],
                    f"{BTC}?limit=100&starting_after=tx-3",
                ),
                "tx-3": page(
                    [
                        movement(
                            2,
                            "0.5",
                            "2026-11-19T10:00:00Z",
                            type="buy",
                            details={"title": "Bought Bitcoin"},
                        ),
                        movement(9, "7", "2026-11-19T09:00:00Z", status="failed"),
                    ],
                    f"{BTC}?limit=100&starting_after=tx-9",
                ),
                "tx-9": page([movement(1, "-0.1", "2026-11-18T10:00:00Z")], ""),
            },
        ),
        ("GET", f"{ACCOUNTS}/acc-2/transactions"): Answer(json=page([], None)),
        ("GET", f"{ACCOUNTS}/acc-3/transactions"): Answer(json=page([], None)),
    },
    account_id="user-9",
    account_name="Ada",
    accounts=(
        ("BTC Wallet", "wallet", "BTC", "39.590000000000000001"),
        ("ETH Wallet", "wallet", "ETH", "0"),
        ("Cash", "fiat", "EUR", "12.3"),
    ),
    transactions=(
        ("2026-11-18T10:00:00+00:00", "-0.1", "BTC", "Sent Bitcoin"),
        ("2026-11-19T10:00:00+00:00", "0.5", "BTC", "Bought Bitcoin"),
        ("2026-11-20T10:00:00+00:00", "-1E-18", "BTC", "for the cake"),
    ),
    dead=(
        (Answer(400, json={"error": "invalid_grant", "error_description": "…"}), "expired"),
        (Answer(401, json={"errors": [{"id": "revoked_token", "message": "…"}]}), "expired"),
        (Answer(401, json={"error": "expired_token"}), "expired"),
    ),
    dead_token=(
        (Answer(401, json={"errors": [{"id": "revoked_token", "message": "…"}]}), "expired"),
    ),
    revoked=Answer(json={}),
    revokes=("access-1",),
    unrevoked=(
        Answer(json={"error": "invalid_token"}),
        Answer(json={"errors": [{"id": "invalid_token", "message": "…"}]}),
    ),
    api_headers={"CB-VERSION": "2024-12-01"},
    pages=(BTC, 3),
)
