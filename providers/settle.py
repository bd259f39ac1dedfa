"""Store what a flow has brought, unless the row has changed while the platform was asked."""

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from audit.events import Action, Outcome
from audit.record import Origin
from connections_project.connections.errors import (
    AccountMismatchError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.identity.models import User
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import Upstream
from connections_project.revocation.grants import Grant, hold
from connections_project.revocation.release import Decision, release_late
from connections_project.vault import DecryptionError
from providers.models import Connection, Status
from providers.records import record_about

logger = logging.getLogger(__name__)

REAUTHORISABLE = frozenset({Status.ACTIVE, Status.EXPIRED, Status.REVOKED, Status.FAILED})


@dataclass(frozen=True)
class Arrival:
    """Tokens that have just come, for the row as it was read before the platform was asked."""

    row: Connection
    upstream: Upstream
    tokens: TokenSet
    identity: Identity
    reauthorises: bool
    alias: str | None

    @property
    def grant(self) -> Grant:
        registration = self.upstream.registration
        return Grant(self.upstream.authority, registration.client_id, self.identity.account_id)


def settle(arrival: Arrival, *, origin: Origin) -> Connection:
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


def _settle(arrival: Arrival, *, origin: Origin) -> Connection | ConnectionProblem:
    # One settlement a user at a time: of two for the same account the second finds the first.
    owner = User.objects.select_for_update(no_key=True).get(pk=arrival.row.user_id)
    current = Connection.objects.select_for_update().get(pk=arrival.row.pk)
    same = _same_account(arrival)
    if _is_overtaken(current, arrival) or not owner.is_active:
        return _refuse(InvalidStateError(), current, same, arrival, origin=origin)
    if arrival.reauthorises and _belongs_to_another(current, arrival):
        return _refuse(AccountMismatchError(), current, same, arrival, origin=origin)
    return _store(_taker(current, same), arrival, origin=origin)


def _is_overtaken(current: Connection, arrival: Arrival) -> bool:
    """Say whether a disconnect, or the end of a row left pending, came first.

    A refresh that came first is no hindrance: the grant just given replaces what it brought.
    """
    if arrival.reauthorises:
        return current.status not in REAUTHORISABLE
    return current.epoch != arrival.row.epoch


def _belongs_to_another(current: Connection, arrival: Arrival) -> bool:
    return current.platform_account_id not in {None, arrival.identity.account_id}


def _same_account(arrival: Arrival) -> Connection | None:
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


def _store(row: Connection, arrival: Arrival, *, origin: Origin) -> Connection:
    _let_go_of_replaced(row, arrival, origin=origin)
    row.take_grant(arrival.tokens, arrival.identity, upstream=arrival.upstream, now=timezone.now())
    row.alias = arrival.alias or row.alias
    row.status = Status.ACTIVE
    row.save()
    hold(row.grant, app=row.app, connection_id=row.pk)
    record_about(
        row,
        Action.PROVIDER_CONNECTED,
        origin=origin,
        reauthorised=row.pk != arrival.row.pk or arrival.reauthorises,
    )
    return row


def _let_go_of_replaced(row: Connection, arrival: Arrival, *, origin: Origin) -> None:
    """Revoke the tokens that fresh ones replace, where that ends nothing else."""
    revocation = arrival.upstream.platform.revocation
    if row.auth_state is None or revocation is None or revocation.blast_radius != "token":
        return
    if not _lives_on(row, arrival.tokens):
        release_late(row.held(), origin=origin)


def _lives_on(row: Connection, tokens: TokenSet) -> bool:
    """Say whether one of these tokens is the row's own, or may be.

    Some platforms hand out the same token again, which then must live.
    """
    if row.auth_state is None:
        return False
    try:
        own = row.opened()
    except DecryptionError:
        logger.warning("No key reads the credentials of %s: nothing is revoked for it", row.pk)
        return True
    fresh = {tokens.access_token, tokens.refresh_token} - {None}
    return bool(fresh & {own.access_token, own.refresh_token})


def _refuse(
    problem: ConnectionProblem,
    row: Connection,
    same: Connection | None,
    arrival: Arrival,
    *,
    origin: Origin,
) -> ConnectionProblem:
    """Leave a row that was connected as it is, and have the tokens revoked that came for it."""
    end_if_pending(row)
    record_about(
        row,
        Action.PROVIDER_CONNECTION_FAILED,
        origin=origin,
        outcome=Outcome.FAILURE,
        error=problem.code,
        revocation=_let_go_of_fresh(row, same, arrival, origin=origin),
    )
    return problem


def _let_go_of_fresh(
    row: Connection, same: Connection | None, arrival: Arrival, *, origin: Origin
) -> Decision:
    if same is not None and _lives_on(same, arrival.tokens):
        return Decision.SHARED_GRANT
    held = row.held(row.sealed(arrival.tokens), grant=arrival.grant)
    return release_late(held, origin=origin)


def end_if_pending(row: Connection) -> None:
    """End a new connection as failed; one that was to be reauthorised stays as it was."""
    if row.status == Status.PENDING:
        row.status = Status.FAILED
        row.changed(now=timezone.now())
        row.save()
