"""Store what a sync has read: in short transactions, each of which a disconnect may come before.

The platform says how much there is, so nothing here is done for all of it at once. Rows are made
before the connection is locked, and then stored in a batch: whoever wants to end the connection
waits for one batch at most, and nothing is stored after them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from connections_project.connections.errors import NotActiveError
from connections_project.core import clock
from providers.models import Account, Connection, Status, Transaction
from providers.statements import Movement, Statement
from providers.turns import computing

BATCH = 2_000  # rows: a tenth of a second
ACCOUNT_FIELDS = ("name", "type", "currency", "balance")
MOVEMENT_FIELDS = ("posted_at", "amount", "currency", "description")


@dataclass
class Tally:
    """What a sync did, in accounts."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: int = 0


@contextmanager
def still_active(connection_id: UUID) -> Iterator[Connection]:
    """Hold a connection's row, for a transaction that has to be short.

    Raises:
        NotActiveError: It was disconnected, or its grant has ended.
    """
    with transaction.atomic():
        rows = Connection.objects.select_for_update().defer("auth_state")
        connection = rows.get(pk=connection_id)
        if connection.status != Status.ACTIVE:
            raise NotActiveError
        yield connection


def store_accounts(
    connection_id: UUID, statements: Mapping[str, Statement]
) -> tuple[Tally, dict[str, UUID]]:
    """Store accounts, of which there is no more than one batch.

    Returns:
        What is new, and each account's id here by the platform's.

    Raises:
        NotActiveError: See `still_active`.
    """
    with still_active(connection_id) as connection:
        found = connection.accounts.filter(platform_account_id__in=list(statements))
        known = {account.platform_account_id: account for account in found}
        read = [_account(connection_id, one, known) for one in statements.values()]
        changed = [row for row in read if _differs(row, known.get(row.platform_account_id))]
        Account.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["connection", "platform_account_id"],
            update_fields=[*ACCOUNT_FIELDS, "updated_at"],
        )
    created, unchanged = len(read) - len(known), len(read) - len(changed)
    ids = {row.platform_account_id: row.pk for row in [*read, *known.values()]}
    return Tally(created, len(changed) - created, unchanged), ids


def _account(connection_id: UUID, statement: Statement, known: Mapping[str, Account]) -> Account:
    now = clock.now()
    before = known.get(statement.platform_account_id)
    row = Account(
        connection_id=connection_id,
        platform_account_id=statement.platform_account_id,
        created_at=now,
        updated_at=now,
        **{field: getattr(statement, field) for field in ACCOUNT_FIELDS},
    )
    if before is not None and not statement.knows_balance:
        row.balance = before.balance
    return row


def _differs(row: Account, before: Account | None) -> bool:
    return before is None or any(
        getattr(row, name) != getattr(before, name) for name in ACCOUNT_FIELDS
    )


@dataclass
class MovementStore:
    """Stores transactions of a connection's accounts as they are read, a batch at a time.

    Args:
        is_late: Whether there is no time left for another batch.
        cut: The accounts of which some came too late.
    """

    connection_id: UUID
    is_late: Callable[[], bool]
    cut: set[UUID] = field(default_factory=set)
    # By account and the platform's id: one statement can't write a row twice.
    _waiting: dict[tuple[UUID, str], Movement] = field(default_factory=dict)

    def add(self, account_id: UUID, movements: Iterable[Movement]) -> None:
        """Take an account's transactions, and store what makes a whole batch.

        Raises:
            NotActiveError: See `still_active`.
        """
        for movement in movements:
            self._waiting[account_id, movement.platform_transaction_id] = movement
            if len(self._waiting) >= BATCH:
                self.flush()

    def flush(self) -> None:
        """Insert what is new and correct what is known of those that wait.

        Raises:
            NotActiveError: See `still_active`.
        """
        waiting, self._waiting = self._waiting, {}
        if self.is_late():
            self.cut |= {account_id for account_id, _ in waiting}
            return
        with computing:
            rows = [_row(account_id, movement) for (account_id, _), movement in waiting.items()]
        with still_active(self.connection_id):
            Transaction.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["account", "platform_transaction_id"],
                update_fields=MOVEMENT_FIELDS,
            )


def _row(account_id: UUID, movement: Movement) -> Transaction:
    return Transaction(
        account_id=account_id,
        platform_transaction_id=movement.platform_transaction_id,
        **{name: getattr(movement, name) for name in MOVEMENT_FIELDS},
    )
