"""Connect a channel: start the flow, and complete it with what the platform sends back.

No row is there until the tokens are: a flow that fails leaves its audit event and nothing else.
"""

from copy import copy
from dataclasses import replace

from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from channels.models import LIVE, ChannelConnection
from channels.store_grant import ReceivedChannelGrant, store_grant
from connections_project.connections import flow
from connections_project.connections.callback import (
    ValidatedFlow,
    exchange_and_identify,
    validate_user_callback,
)
from connections_project.connections.confirm import confirm_stored
from connections_project.connections.errors import AlreadyConnectedError
from connections_project.connections.flow import Answer, Authorization
from connections_project.connections.unstored import store_or_revoke
from connections_project.identity.models import User
from connections_project.platforms.client import identify

APP = "channels"
FAILED = Action.CHANNEL_CONNECTION_FAILED


def begin(*, channel: str, redirect_uri: str | None, user: User, browser: str) -> Authorization:
    """Start connecting a channel.

    Args:
        channel: The platform.
        redirect_uri: A registered one, or None for the default.
        user: Who connects.
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
        state: As it came back.
        answer: What the platform sent with it.
        caller: Who is signed in at this call, if anybody; the state itself proves its principal.
        origin: The call, for the audit log.

    Returns:
        A new connection, also where the account was connected before.

    Raises:
        InvalidStateError: Unknown, used, expired or somebody else's state; or a disconnect won.
        AuthorizationDeclinedError, IssuerMismatchError, PlatformUnavailableError: See `flow.check`.
        ConnectFailedError: The exchange or the look at the account failed.
        AlreadyConnectedError: See `store_grant`.
        StateStoreUnavailable: The cache is away.
    """
    validated_flow = validate_user_callback(
        app=APP, failed=FAILED, state=state, answer=answer, caller=caller, origin=origin
    )
    received = _ask(validated_flow, code=answer.code or "")
    try:
        stored = store_or_revoke(
            lambda: store_grant(
                replace(received, row=copy(received.row)), origin=validated_flow.origin
            ),
            upstream=received.upstream,
            tokens=[received.tokens],
        )
    except AlreadyConnectedError:
        confirm_stored(validated_flow, received.grant)
        raise
    confirm_stored(validated_flow, received.grant, stored)
    return stored


def _ask(validated_flow: ValidatedFlow[User], *, code: str) -> ReceivedChannelGrant:
    row, upstream = _new_row(validated_flow), validated_flow.upstream
    live = ChannelConnection.objects.filter(
        user=validated_flow.principal, channel=row.channel, status__in=LIVE
    )
    live_before = frozenset(live.values_list("pk", flat=True))
    tokens, identity = exchange_and_identify(
        validated_flow.flow,
        upstream,
        code=code,
        whose=identify,
        row=row,
        failed=FAILED,
        origin=validated_flow.origin,
    )
    return ReceivedChannelGrant(
        row=row, live_before=live_before, upstream=upstream, tokens=tokens, identity=identity
    )


def _new_row(validated_flow: ValidatedFlow[User]) -> ChannelConnection:
    now = timezone.now()
    return ChannelConnection(
        user=validated_flow.principal,
        channel=validated_flow.flow.slug,
        created_at=now,
        updated_at=now,
    )
