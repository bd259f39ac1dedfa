"""Store what a flow has brought, unless the row has changed while the platform was asked."""

from dataclasses import dataclass, replace

from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.errors import (
    AccountMismatchError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.connections.flow import Flow
from connections_project.connections.store_grant import (
    ReceivedGrant,
    lives_on,
    lock_owner,
    refuse,
    store,
)
from connections_project.core import clock
from providers.models import Connection, Status

REAUTHORISABLE = frozenset({Status.ACTIVE, Status.EXPIRED, Status.REVOKED, Status.FAILED})


@dataclass(frozen=True, kw_only=True)
class ReceivedProviderGrant(ReceivedGrant):
    """Tokens that have just come, for the row as it was read before the platform was asked."""

    row: Connection
    flow: Flow
    reauthorises: bool
    alias: str | None


def store_grant(
    received: ReceivedProviderGrant, *, origin: Origin
) -> Connection | ConnectionProblem:
    """Store the tokens in the row they are for, or have them revoked, in the caller's transaction.

    Returns:
        The row, or a problem to be raised after the commit: InvalidStateError where the row was
        disconnected meanwhile, or its owner, or who made the link to the page, deactivated or
        signed out everywhere;
        AccountMismatchError where the row to reauthorise belongs to another platform account.
    """
    owner = lock_owner(received.row.user_id)
    current = Connection.objects.select_for_update().filter(pk=received.row.pk).first()
    same = _same_account(received)
    is_welcome = owner.is_good_since(received.flow.started_at) and received.flow.has_good_link
    if current is None:
        return _without_its_row(same if is_welcome else None, received, origin=origin)
    if _is_overtaken(current, received) or not is_welcome:
        return _refuse(InvalidStateError(), current, same, received, origin=origin)
    if received.reauthorises and _belongs_to_another(current, received):
        return _refuse(AccountMismatchError(), current, same, received, origin=origin)
    return _store(_row_to_store_in(current, same), received, origin=origin)


def _without_its_row(
    same: Connection | None, received: ReceivedProviderGrant, *, origin: Origin
) -> Connection | ConnectionProblem:
    """Return the account's row that has taken the grant in its place, by a commit of which only the
    confirmation was lost, or takes it, as it has the refresh token; else the tokens are revoked.
    """
    if same is None or not lives_on(same, received.tokens):
        return refuse(InvalidStateError(), received.row, received, same=same, origin=origin)
    if lives_on(same, replace(received.tokens, refresh_token=None)):
        return same
    return _store(same, received, origin=origin)


def _is_overtaken(current: Connection, received: ReceivedProviderGrant) -> bool:
    """Whether a disconnect, or the end of a row left pending, came first.

    A refresh that came first is no hindrance: the grant just given replaces what it brought.
    """
    if received.reauthorises:
        return current.status not in REAUTHORISABLE
    # Nor is a commit of ours whose confirmation was lost.
    return current.epoch != received.row.epoch and not lives_on(current, received.tokens)


def _belongs_to_another(current: Connection, received: ReceivedProviderGrant) -> bool:
    return current.platform_account_id not in {None, received.identity.account_id}


def _same_account(received: ReceivedProviderGrant) -> Connection | None:
    """Find the user's connection to the account that came, if there is one already."""
    if received.identity.account_id is None:
        return None
    return (
        Connection.objects.select_for_update()
        .filter(
            user_id=received.row.user_id,
            provider_slug=received.row.provider_slug,
            platform_account_id=received.identity.account_id,
            status__in=[Status.ACTIVE, Status.EXPIRED, Status.REVOKED],
        )
        .first()
    )


def _row_to_store_in(current: Connection, same: Connection | None) -> Connection:
    """Choose the row that takes the grant: the one that has the account already, if there is one.

    A pending row that is not needed then goes: it never was a connection.
    """
    if same is None or same.pk == current.pk:
        return current
    if current.status == Status.PENDING:
        current.delete()
    return same


def _store(row: Connection, received: ReceivedProviderGrant, *, origin: Origin) -> Connection:
    row.alias = received.alias or row.alias
    row.status = Status.ACTIVE
    reauthorised = row.pk != received.row.pk or received.reauthorises
    store(row, received, origin=origin, reauthorised=reauthorised)
    return row


def _refuse(
    problem: ConnectionProblem,
    row: Connection,
    same: Connection | None,
    received: ReceivedProviderGrant,
    *,
    origin: Origin,
) -> ConnectionProblem:
    """Leave a row that was connected as it is, and revoke the tokens that came for it."""
    end_if_pending(row)
    return refuse(problem, row, received, same=same, origin=origin)


def end_if_pending(row: Connection) -> None:
    """End a new connection as failed; one that was to be reauthorised stays as it was."""
    if row.status == Status.PENDING:
        now = clock.now()
        row.status = Status.FAILED
        row.need_attention(AttentionReason.CONNECT_FAILED, now=now)
        row.changed(now=now)
        row.save()
