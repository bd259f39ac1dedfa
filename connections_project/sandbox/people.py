"""The two people who bank at the sandbox. They don't exist, so their passwords may be printed."""

from dataclasses import dataclass
from decimal import Decimal

WORKDAYS = range(5)
EVERY_DAY = range(7)


@dataclass(frozen=True)
class Standing:
    """What comes every month on the same day: money in is positive, money out negative."""

    day: int
    amount: str
    description: str


@dataclass(frozen=True)
class Habit:
    """A purchase: `chance` on each of `weekdays`, for `least` to `most` cents."""

    chance: float
    weekdays: range
    least: int
    most: int
    shops: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    id: str
    name: str
    type: str
    currency: str
    opening: Decimal
    standing: tuple[Standing, ...]
    habits: tuple[Habit, ...] = ()


@dataclass(frozen=True)
class Person:
    username: str
    first_name: str
    last_name: str
    password: str
    accounts: tuple[Account, ...]
    # Of the organisation, as its single sign-on says them.
    groups: tuple[str, ...] = ()


HABITS = (
    Habit(0.7, WORKDAYS, 290, 520, ("Daily Grind Coffee", "Corner Espresso")),
    Habit(0.8, WORKDAYS, 260, 560, ("City Transit",)),
    Habit(0.35, EVERY_DAY, 1_240, 8_690, ("Greenleaf Market", "Corner Grocer", "Harvest Foods")),
    Habit(0.15, EVERY_DAY, 1_890, 6_400, ("Trattoria Lucia", "Noodle House", "The Old Mill")),
    Habit(0.05, EVERY_DAY, 990, 12_500, ("Page & Quill Books", "Northern Outfitters", "Pharmacy")),
)

ADA = Person(
    username="ada",
    first_name="Ada",
    last_name="Lovelace",
    password="analytical-engine",  # noqa: S106  (printed at every start)
    accounts=(
        Account(
            "ada-current", "Current account", "checking", "GBP", Decimal("3843.10"),
            (
                Standing(1, "-1250.00", "Rent, 12 St James's Square"),
                Standing(3, "-94.20", "Power & Light"),
                Standing(8, "-11.99", "Streamly subscription"),
                Standing(12, "-22.00", "Mobile contract"),
                Standing(25, "3450.00", "Salary, Analytical Engines Ltd"),
                Standing(26, "-400.00", "To savings"),
            ),
            HABITS,
        ),
        Account(
            "ada-savings", "Rainy day", "savings", "GBP", Decimal("8200.00"),
            (Standing(1, "19.85", "Interest"), Standing(26, "400.00", "From current account")),
        ),
    ),
)  # fmt: skip

GRACE = Person(
    username="grace",
    first_name="Grace",
    last_name="Hopper",
    password="nanosecond-wire",  # noqa: S106  (printed at every start)
    accounts=(
        Account(
            "grace-checking", "Everyday checking", "checking", "USD", Decimal("4206.45"),
            (
                Standing(2, "-1680.00", "Rent, Harbor Apartments"),
                Standing(5, "-131.40", "Tidewater Utilities"),
                Standing(9, "-64.99", "Internet"),
                Standing(15, "2310.00", "Payroll, Flow-Matic Systems"),
                Standing(28, "2310.00", "Payroll, Flow-Matic Systems"),
            ),
            HABITS,
        ),
        Account(
            "grace-savings", "House fund", "savings", "USD", Decimal("15400.00"),
            (Standing(1, "41.07", "Interest"),),
        ),
    ),
    groups=("operators",),
)  # fmt: skip

PEOPLE = {person.username: person for person in (ADA, GRACE)}
