"""Store what a flow has brought, unless the row has changed while the platform was asked."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from connections_project.connections.errors import (
    AccountMismatchError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.connections.settle import Arrival, lock_owner, refuse, store
from providers.models import Connection, Status

REAUTHORISABLE = frozenset({Status.ACTIVE, Status.EXPIRED, Status.REVOKED, Status.FAILED})


@dataclass(frozen=True, kw_only=True)
class ProviderArrival(Arrival):
    """Tokens that have just come, for the row as it was read before the platform was asked."""

    row: Connection
    reauthorises: bool
    alias: str | None


def settle(arrival: ProviderArrival, *, origin: Origin) -> Connection:
    """Store the tokens in the row they are for, or have them revoked.

    Raises:
        InvalidStateError: The row was disconnected meanwhile, or its owner deactivated.
        AccountMismatchError: The row to reauthorise belongs to another platform account.
    """
    with transaction.atomic():
        settled = _settle(arrival, origin=origin)
    if isinstance(settled, ConnectionProblem):
        raise settled
    return settled


def _settle(arrival: ProviderArrival, *, origin: Origin) -> Connection | ConnectionProblem:
    owner = lock_owner(arrival.row.user_id)
    current = Connection.objects.select_for_update().get(pk=arrival.row.pk)
    same = _same_account(arrival)
    if _is_overtaken(current, arrival) or not owner.is_active:
        return _refuse(InvalidStateError(), current, same, arrival, origin=origin)
    if arrival.reauthorises and _belongs_to_another(current, arrival):
        return _refuse(AccountMismatchError(), current, same, arrival, origin=origin)
    return _store(_taker(current, same), arrival, origin=origin)


def _is_overtaken(current: Connection, arrival: ProviderArrival) -> bool:
    """Say whether a disconnect, or the end of a row left pending, came first.

    A refresh that came first is no hindrance: the grant just given replaces what it brought.
    """
    if arrival.reauthorises:
        return current.status not in REAUTHORISABLE
    return current.epoch != arrival.row.epoch


def _belongs_to_another(current: Connection, arrival: ProviderArrival) -> bool:
    return current.platform_account_id not in {None, arrival.identity.account_id}


def _same_account(arrival: ProviderArrival) -> Connection | None:
    """Find the user's connection to the account that came, if there is one already."""
    if arrival.identity.account_id is None:
        return None
    return (
        Connection.objects.select_for_update()
        .filter(
            user_id=arrival.row.user_id,
            provider_slug=arrival.row.provider_slug,
            platform_account_id=arrival.identity.account_id,
            status__in=[Status.ACTIVE, Status.EXPIRED, Status.REVOKED],
        )
        .first()
    )


def _taker(current: Connection, same: Connection | None) -> Connection:
    """Choose the row that takes the grant: the one that has the account already, if there is one.

    A pending row that is not needed then goes: it never was a connection.
    """
    if same is None or same.pk == current.pk:
        return current
    if current.status == Status.PENDING:
        current.delete()
    return same


def _store(row: Connection, arrival: ProviderArrival, *, origin: Origin) -> Connection:
    row.alias = arrival.alias or row.alias
    row.status = Status.ACTIVE
    reauthorised = row.pk != arrival.row.pk or arrival.reauthorises
    store(
        row,
        arrival,
        connected=Action.PROVIDER_CONNECTED,
        origin=origin,
        reauthorised=reauthorised,
    )
    return row


def _refuse(
    problem: ConnectionProblem,
    row: Connection,
    same: Connection | None,
    arrival: ProviderArrival,
    *,
    origin: Origin,
) -> ConnectionProblem:
    """Leave a row that was connected as it is, and have the tokens revoked that came for it."""
    end_if_pending(row)
    failed = Action.PROVIDER_CONNECTION_FAILED
    return refuse(problem, row, arrival, same=same, failed=failed, origin=origin)


def end_if_pending(row: Connection) -> None:
    """End a new connection as failed; one that was to be reauthorised stays as it was."""
    if row.status == Status.PENDING:
        row.status = Status.FAILED
        row.changed(now=timezone.now())
        row.save()
