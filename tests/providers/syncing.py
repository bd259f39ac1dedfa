"""What the bank tells at the next sync."""

from typing import Any

from tests.bank import Bank
from tests.servers import Answer


def tell_accounts(bank: Bank, *entries: Any) -> None:
    bank.server.on("GET", "/accounts", Answer(json={"accounts": list(entries)}))


def tell_transactions(bank: Bank, *entries: Any) -> None:
    answer = Answer(json={"transactions": list(entries)})
    bank.server.on("GET", "/accounts/acc-1/transactions", answer)
