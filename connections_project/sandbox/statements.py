"""Transactions that look like a person's: a day's entries depend on the account and the day alone.

So a restart on a later day adds the days since, and changes nothing that was there before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from connections_project.sandbox.people import Account

DAYS_OF_HISTORY = 90


@dataclass(frozen=True)
class Entry:
    id: str
    posted_at: datetime
    amount: Decimal
    description: str


def statement(account: Account, *, today: date) -> list[Entry]:
    """Return the entries of the last 90 days, oldest first, up to and without today."""
    days = (today - timedelta(days=ago) for ago in range(DAYS_OF_HISTORY, 0, -1))
    return [entry for day in days for entry in _entries(account, day)]


def _entries(account: Account, day: date) -> Iterator[Entry]:
    dice = Random(f"{account.id} {day.isoformat()}")
    found = [*_standing(account, day), *_bought(account, day, dice)]
    for number, (amount, description) in enumerate(found):
        moment = time(7 + number, dice.randrange(60))
        yield Entry(
            id=f"{account.id}-{day:%Y%m%d}-{number}",
            posted_at=datetime.combine(day, moment, tzinfo=UTC),
            amount=amount,
            description=description,
        )


def _standing(account: Account, day: date) -> Iterator[tuple[Decimal, str]]:
    for order in account.standing:
        if order.day == day.day:
            yield Decimal(order.amount), order.description


def _bought(account: Account, day: date, dice: Random) -> Iterator[tuple[Decimal, str]]:
    for habit in account.habits:
        if day.weekday() in habit.weekdays and dice.random() < habit.chance:
            price = Decimal(dice.randint(habit.least, habit.most)) / 100
            yield -price, dice.choice(habit.shops)
