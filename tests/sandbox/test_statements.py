"""Made-up transactions are the same for the same day, whenever they are made."""

from datetime import date, timedelta

import pytest

from connections_project.sandbox.people import PEOPLE, Account
from connections_project.sandbox.statements import statement

TODAY = date(2026, 3, 31)
ACCOUNTS = [account for person in PEOPLE.values() for account in person.accounts]


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.id)
def test_a_later_day_adds_entries_and_changes_none(account: Account) -> None:
    before = statement(account, today=TODAY)
    after = statement(account, today=TODAY + timedelta(days=1))
    added = {entry.id for entry in after} - {entry.id for entry in before}
    assert {entry for entry in after if entry.id not in added} <= set(before)
    assert all(entry.posted_at.date() == TODAY for entry in after if entry.id in added)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.id)
def test_no_balance_is_ever_negative(account: Account) -> None:
    for month in range(1, 13):
        balance = account.opening
        for entry in statement(account, today=date(2026, month, 28)):
            balance += entry.amount
            assert balance > 0, entry


def test_no_two_people_buy_the_same() -> None:
    ada, grace = PEOPLE["ada"].accounts[0], PEOPLE["grace"].accounts[0]
    prices = [
        {entry.amount for entry in statement(account, today=TODAY)} for account in (ada, grace)
    ]
    assert len(prices[0] & prices[1]) < len(prices[0]) / 4
