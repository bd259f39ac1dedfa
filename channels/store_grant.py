"""Store what a flow has brought: in a new row, unless the account is connected already."""

from dataclasses import dataclass
from uuid import UUID

from audit.events import Action
from audit.record import Origin
from channels.models import LIVE, ChannelConnection, ScheduleStatus, Status
from channels.selectors import locked_connections
from connections_project.connections.disconnect import DisconnectRequest, disconnect_and_erase
from connections_project.connections.errors import (
    AlreadyConnectedError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.connections.flow import Flow
from connections_project.connections.store_grant import (
    ReceivedGrant,
    drop_extras,
    lives_on,
    lock_owner,
    refuse,
    store,
    with_stored_refresh_token,
)
from connections_project.core import clock
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.grants import add_holder


@dataclass(frozen=True, kw_only=True)
class ReceivedChannelGrant(ReceivedGrant):
    """Tokens that have just come.

    Args:
        row: A new row, not saved yet.
        live_before: The user's live connections to the channel when the platform was asked.
    """

    row: ChannelConnection
    live_before: frozenset[UUID]
    flow: Flow


def store_grant(
    received: ReceivedChannelGrant, *, origin: Origin
) -> ChannelConnection | ConnectionProblem:
    """Store the tokens, or have them revoked, in the caller's transaction.

    Returns:
        The new connection, or a problem to be raised after the commit: AlreadyConnectedError, whose
        row has taken the tokens; InvalidStateError where the account's connection was disconnected
        meanwhile, or its owner, or who made the link to the page, deactivated or signed out
        everywhere.
    """
    owner = lock_owner(received.row.user_id)
    same = _same_account(received)
    connected = same is not None and same.status == Status.CONNECTED
    is_welcome = owner.is_good_since(received.flow.started_at) and received.flow.has_good_link
    if not is_welcome or (not connected and _is_overtaken(received)):
        return refuse(InvalidStateError(), received.row, received, same=same, origin=origin)
    if same is not None and connected:
        _store(same, received, origin=origin)
        return AlreadyConnectedError(same.pk)
    if same is not None:
        received = with_stored_refresh_token(same, received)
        _supersede(same, received, origin=origin)
    _store(received.row, received, origin=origin)
    return received.row


def _same_account(received: ReceivedChannelGrant) -> ChannelConnection | None:
    """Find the user's live connection to the account that came, if there is one."""
    if received.identity.account_id is None:
        return None
    rows = locked_connections().filter(
        user_id=received.row.user_id,
        channel=received.row.channel,
        platform_account_id=received.identity.account_id,
        status__in=LIVE,
    )
    return rows.first()


def _is_overtaken(received: ReceivedChannelGrant) -> bool:
    """Whether the account was connected when the platform was asked, and disconnected since.

    Whoever disconnected it meant it to be over, and wins.
    """
    return ChannelConnection.objects.filter(
        pk__in=received.live_before,
        platform_account_id=received.identity.account_id,
        status=Status.DISCONNECTED,
    ).exists()


def _store(row: ChannelConnection, received: ReceivedChannelGrant, *, origin: Origin) -> None:
    row.status = Status.CONNECTED
    picture_url = received.identity.picture_url
    row.cached_data = {"picture_url": picture_url} if picture_url else None
    reauthorised = row.pk != received.row.pk
    store(row, received, origin=origin, reauthorised=reauthorised)


def _supersede(old: ChannelConnection, received: ReceivedChannelGrant, *, origin: Origin) -> None:
    """End a connection whose grant was dead, in favour of the new one to the same account.

    What was scheduled on it is meant for the account, and goes on with the new connection. The new
    one holds the grant first, so that letting go of the old one doesn't end what they share.
    """
    row = received.row
    # The new row is not there yet: both databases look at foreign keys when the commit comes.
    moved = old.schedules.active().update(
        channel_connection_id=row.pk,
        status=ScheduleStatus.PENDING,
        lease=None,
        leased_until=None,
        updated_at=clock.now(),
    )
    add_holder(received.grant, app=row.app, connection_id=row.pk)
    details = {"superseded_by": str(row.pk), "schedules_moved": moved}
    revoke = not lives_on(old, received.tokens)
    if not revoke:
        drop_extras(old.token_bundle(), old, received.tokens, origin=origin)
    request = DisconnectRequest(origin, revoke=revoke, details=details)
    result = disconnect_and_erase([old], request, Action.CHANNEL_DISCONNECTED)
    dispatch_revocations(result.job_ids, interface=origin.interface)
