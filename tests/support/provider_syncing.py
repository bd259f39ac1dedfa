"""Syncing, and what the bank returns for it."""

from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from tests.support.bank import Bank
from tests.support.platform_server import Answer

Sync = Callable[[], Any]
URL = "/api/v1/accounts/syncs"


def sync(api: APIClient, connection_id: object, **body: Any) -> Any:
    return api.post(URL, {"connection_id": str(connection_id), **body}, format="json")


def set_accounts(bank: Bank, *entries: Any) -> None:
    bank.server.on("GET", "/accounts", Answer(json={"accounts": list(entries)}))


def set_transactions(bank: Bank, *entries: Any) -> None:
    answer = Answer(json={"transactions": list(entries)})
    bank.server.on("GET", "/accounts/acc-1/transactions", answer)
