"""Connect a channel: start the flow, and complete it with what the platform sends back.

No row is there until the tokens are: a flow that fails leaves its audit event and nothing else.
"""

from audit.record import Origin
from channels.models import LIVE, ChannelConnection
from channels.store_grant import ReceivedChannelGrant, store_grant
from connections_project.connections import flow
from connections_project.connections.callback import (
    ValidatedFlow,
    exchange_and_identify,
    store_received,
    validate_user_callback,
)
from connections_project.connections.confirm import confirm_stored
from connections_project.connections.errors import AlreadyConnectedError
from connections_project.connections.flow import Answer, Authorization
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.platforms.client import identify

APP = "channels"


def begin(*, channel: str, redirect_uri: str | None, user: User, browser: str) -> Authorization:
    """Start connecting a channel.

    Args:
        redirect_uri: A registered one, or None for the default.
        browser: The value of the cookie that ties the flow to a browser.

    Raises:
        UnknownPlatformError, PlatformUnavailableError, UnregisteredRedirectError,
        StateStoreUnavailable: See `flow.begin`.
    """
    return flow.begin(
        app=APP,
        slug=channel,
        principal=user,
        redirect_uri=redirect_uri,
        browser=browser,
        details={},
    )


def complete(
    *, state: str, answer: Answer, caller: User | None, origin: Origin
) -> ChannelConnection:
    """Complete a flow.

    Args:
        caller: Who is signed in at this call, if anybody; the state itself proves its principal.

    Returns:
        A new connection, also where the account was connected before.

    Raises:
        InvalidStateError: Unknown, used, expired or somebody else's state; or a disconnect won.
        AuthorizationDeclinedError, IssuerMismatchError, PlatformUnavailableError: See `flow.check`.
        ConnectFailedError: The exchange or the look at the account failed.
        AlreadyConnectedError: See `store_grant`.
        StateStoreUnavailable: The cache is away.
    """
    validated = validate_user_callback(
        app=APP, state=state, answer=answer, caller=caller, origin=origin
    )
    received = _ask(validated)
    try:
        stored = store_received(validated, received, store_grant)
    except AlreadyConnectedError:
        confirm_stored(validated, received.grant)
        raise
    confirm_stored(validated, received.grant, stored)
    return stored


def _ask(validated: ValidatedFlow[User]) -> ReceivedChannelGrant:
    row = _new_row(validated)
    live = ChannelConnection.objects.filter(
        user_id=row.user_id, channel=row.channel, status__in=LIVE
    )
    live_before = frozenset(live.values_list("pk", flat=True))
    tokens, identity = exchange_and_identify(validated, row, whose=identify)
    return ReceivedChannelGrant(
        row=row,
        live_before=live_before,
        upstream=validated.upstream,
        tokens=tokens,
        identity=identity,
        flow=validated.flow,
    )


def _new_row(validated: ValidatedFlow[User]) -> ChannelConnection:
    now = clock.now()
    return ChannelConnection(
        user=validated.principal, channel=validated.flow.slug, created_at=now, updated_at=now
    )
