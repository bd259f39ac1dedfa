"""Store what a flow has brought, unless the row has changed while the platform was asked."""

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from audit.events import Action, Outcome
from audit.record import Origin
from connections_project.connections.errors import (
    AccountMismatchError,
    AccountTakenError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.identity.models import User
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import Upstream
from connections_project.revocation.grants import Grant, hold
from connections_project.revocation.release import release_late
from connections_project.vault import DecryptionError
from providers.models import Connection, Status
from providers.records import record_about

logger = logging.getLogger(__name__)


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
        AccountTakenError: Another row of this user has the account already.
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
    if current.epoch != arrival.row.epoch or not owner.is_active:
        return _refuse(InvalidStateError(), current, arrival, origin=origin)
    same = _same_account(arrival)
    if not arrival.reauthorises:
        return _store(_merged(current, same, arrival), arrival, origin=origin)
    if current.platform_account_id not in {None, arrival.identity.account_id}:
        return _refuse(AccountMismatchError(), current, arrival, origin=origin)
    if same is not None and same.pk != current.pk:
        return _refuse(AccountTakenError(), current, arrival, origin=origin)
    return _store(current, arrival, origin=origin)


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


def _merged(pending: Connection, same: Connection | None, arrival: Arrival) -> Connection:
    """Let the row that has the account already take the grant; the pending one never was."""
    if same is None:
        return pending
    pending.delete()
    same.alias = arrival.alias or same.alias
    return same


def _store(row: Connection, arrival: Arrival, *, origin: Origin) -> Connection:
    _let_go_of_replaced(row, arrival, origin=origin)
    row.take_grant(arrival.tokens, arrival.identity, upstream=arrival.upstream, now=timezone.now())
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
    """Revoke the tokens that fresh ones replace, where that ends nothing else.

    Some platforms hand out the same token again, which then must live.
    """
    revocation = arrival.upstream.platform.revocation
    if row.auth_state is None or revocation is None or revocation.blast_radius != "token":
        return
    try:
        old = row.opened()
    except DecryptionError:
        logger.warning("Replaced credentials of %s that no key reads: not revoked", row.pk)
        return
    fresh = {arrival.tokens.access_token, arrival.tokens.refresh_token} - {None}
    if not fresh & {old.access_token, old.refresh_token}:
        release_late(row.held(), origin=origin)


def _refuse(
    problem: ConnectionProblem, row: Connection, arrival: Arrival, *, origin: Origin
) -> ConnectionProblem:
    """Leave the row as it is, and have the tokens revoked that came for it."""
    held = row.held(row.sealed(arrival.tokens), grant=arrival.grant)
    record_about(
        row,
        Action.PROVIDER_CONNECTION_FAILED,
        origin=origin,
        outcome=Outcome.FAILURE,
        error=problem.code,
        revocation=release_late(held, origin=origin),
    )
    return problem
