"""Monzo (monzo/docs: _accounts.md, _balance.md, _transactions.md, _authentication.md)."""

from typing import Any

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer, Request


def account(number: int, currency: str = "GBP", **values: Any) -> dict[str, Any]:
    return {
        "id": f"acc_0000{number}", "closed": False, "created": "2020-01-01T00:00:00Z",
        "description": "user_00009", "type": "uk_retail", "currency": currency,
        "country_code": "GB", "owners": [], **values,
    }  # fmt: skip


def movement(number: int, amount: int, **values: Any) -> dict[str, Any]:
    return {
        "id": f"tx_{number:05}", "account_id": "acc_00001", "amount": amount, "currency": "GBP",
        "created": "2026-11-20T10:00:00.123Z", "description": "THE CAFE LONDON GBR", "notes": "",
        "merchant": None, "metadata": {}, "settled": "2026-11-21T10:00:00Z", **values,
    }  # fmt: skip


MOVEMENTS = [
    movement(1, -510),
    movement(2, 5000, description="Pay", created="2026-11-20T11:00:00Z"),
    movement(3, -999, decline_reason="INSUFFICIENT_FUNDS"),
    *(movement(number, -1, created=f"2026-11-21T00:{number // 60:02}:{number % 60:02}Z")
      for number in range(4, 206)),
]  # fmt: skip


def transactions(request: Request) -> Answer:
    """Answer 100 at most, from a time on or after a transaction's id."""
    if request.query["account_id"] != "acc_00001":
        return Answer(json={"transactions": []})
    since, limit = request.query["since"], int(request.query["limit"])
    ids = [one["id"] for one in MOVEMENTS]
    first = ids.index(since) + 1 if since in ids else 0
    return Answer(json={"transactions": MOVEMENTS[first : first + limit]})


BALANCES = {
    "acc_00001": {"balance": 5000, "total_balance": 6000, "currency": "GBP", "spend_today": 0},
    "acc_00002": {"balance": -7, "total_balance": -7, "currency": "JPY", "spend_today": 0},
}
OWNERS: dict[str, Any] = {"owners": [{"user_id": "user_00009", "preferred_name": "Ada Lovelace"}]}
RECORDING = Recording(
    slug="monzo",
    tokens={
        "access_token": "access-N",
        "client_id": "oauthclient_1",
        "expires_in": 21600,
        "refresh_token": "refresh-N",
        "token_type": "Bearer",
        "user_id": "user_00009",
    },
    routes={
        ("GET", "/ping/whoami"): Answer(
            json={"authenticated": True, "client_id": "oauthclient_1", "user_id": "user_00009"}
        ),
        ("GET", "/accounts"): Answer(
            json={
                "accounts": [
                    account(1, **OWNERS),
                    account(2, "JPY", description="Peter Pan", type="uk_business"),
                ]
            }
        ),
        ("GET", "/balance"): lambda request: Answer(json=BALANCES[request.query["account_id"]]),
        ("GET", "/transactions"): transactions,
    },
    account_id="user_00009",
    accounts=(
        ("Ada Lovelace", "uk_retail", "GBP", "50"),
        ("Peter Pan", "uk_business", "JPY", "-7"),
    ),
    transactions=(
        ("2026-11-20T10:00:00.123000+00:00", "-5.1", "GBP", "THE CAFE LONDON GBR"),
        ("2026-11-20T11:00:00+00:00", "50", "GBP", "Pay"),
        *(
            (
                f"2026-11-21T00:{number // 60:02}:{number % 60:02}+00:00",
                "-0.01",
                "GBP",
                "THE CAFE LONDON GBR",
            )
            for number in range(4, 206)
        ),
    ),
    dead=(
        (Answer(401, json={"code": "unauthorized.bad_refresh_token", "message": "…"}), "expired"),
        (Answer(401, json={"code": "unauthorized.bad_refresh_token.evicted"}), "expired"),
        (Answer(400, json={"error": "invalid_grant"}), "expired"),
    ),
    dead_token=((Answer(401, json={"code": "unauthorized.bad_access_token"}), "expired"),),
    revoked=Answer(json={}),
    revokes=("access-1",),
    # Three of the first account, one of the second.
    pages=("/transactions", 4),
)
