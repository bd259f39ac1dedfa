"""Connect a provider: start the flow, and go through with what the platform sends back.

validate the state → check the answer → pending row → exchange → whose account is it? → store_grant
"""

from functools import partial
from typing import Any
from uuid import UUID

from audit.record import Origin
from connections_project.connections import flow
from connections_project.connections.callback import (
    ValidatedFlow,
    exchange_and_identify,
    refusals_recorded,
    store_received,
    validate_user_callback,
)
from connections_project.connections.confirm import confirm_stored
from connections_project.connections.errors import (
    AlreadyDisconnectedError,
    InvalidStateError,
    NotReauthorisableError,
)
from connections_project.connections.flow import Answer, Authorization, Flow
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.platforms.client import identify
from connections_project.platforms.registry import connectable
from providers.models import Connection, Status
from providers.selectors import own_connection
from providers.store_grant import REAUTHORISABLE, ReceivedProviderGrant, end_if_pending, store_grant

APP = "providers"


def begin(
    *,
    slug: str,
    alias: str | None,
    redirect_uri: str | None,
    reauthorise: UUID | None,
    user: User,
    browser: str,
) -> Authorization:
    """Start connecting a provider.

    Args:
        alias: The user's own name for the connection.
        redirect_uri: A registered one, or None for the default.
        reauthorise: A connection that is to take the new grant in place.
        browser: The value of the cookie that ties the flow to a browser.

    Raises:
        UnknownPlatformError, PlatformUnavailableError, UnregisteredRedirectError,
        StateStoreUnavailable: See `flow.begin`.
        ConnectionNotFoundError, NotOwnerError: Of the connection to reauthorise.
        AlreadyDisconnectedError, NotReauthorisableError: It can't be reauthorised.
    """
    connectable(APP, slug)
    if reauthorise is not None:
        _check_reauthorisable(own_connection(reauthorise, user_id=user.pk), slug)
    return flow.begin(
        app=APP,
        slug=slug,
        principal=user,
        redirect_uri=redirect_uri,
        browser=browser,
        details=_details(alias, reauthorise),
    )


def flow_details(_user: User, connection: Connection | None) -> dict[str, Any]:
    """Return the details of a flow that is started on the page.

    One that is over gives its name to the new connection, and takes no grant itself.
    """
    if connection is None:
        return _details(None, None)
    reauthorises = connection.status in REAUTHORISABLE
    return _details(connection.alias, connection.pk if reauthorises else None)


def _details(alias: str | None, reauthorise: UUID | None) -> dict[str, Any]:
    return {"alias": alias, "connection_id": str(reauthorise) if reauthorise else None}


def _check_reauthorisable(connection: Connection, slug: str) -> None:
    if connection.status == Status.DISCONNECTED:
        raise AlreadyDisconnectedError
    if connection.status not in REAUTHORISABLE or connection.provider_slug != slug:
        raise NotReauthorisableError


def complete(*, state: str, answer: Answer, caller: User | None, origin: Origin) -> Connection:
    """Complete a flow.

    Args:
        caller: Who is signed in at this call, if anybody; the state itself proves its principal.

    Raises:
        InvalidStateError: Unknown, used, expired or somebody else's state; or a disconnect won.
        AuthorizationDeclinedError, IssuerMismatchError, PlatformUnavailableError: See `flow.check`.
        ConnectFailedError: The exchange or the look at the account failed.
        AccountMismatchError: See `store_grant`.
        StateStoreUnavailable: The cache is away.
    """
    validated = validate_user_callback(
        app=APP, state=state, answer=answer, caller=caller, origin=origin
    )
    user = validated.principal
    with refusals_recorded(validated.flow, owner_id=user.pk, origin=validated.origin):
        row = _row_for(validated.flow, user)
    received = _ask(validated, row)
    stored = store_received(validated, received, store_grant)
    confirm_stored(validated, received.grant, stored)
    return stored


def _row_for(taken: Flow, user: User) -> Connection:
    """Return the row that the grant is for: a new pending one, or the one to reauthorise."""
    if taken.details["connection_id"] is None:
        now = clock.now()
        return Connection.objects.create(
            user=user,
            provider_slug=taken.slug,
            alias=taken.details["alias"],
            created_at=now,
            updated_at=now,
        )
    connection_id = UUID(taken.details["connection_id"])
    row = Connection.objects.visible().filter(pk=connection_id, user=user).first()
    if row is None or row.status not in REAUTHORISABLE:
        raise InvalidStateError
    return row


def _ask(validated: ValidatedFlow[User], row: Connection) -> ReceivedProviderGrant:
    details = validated.flow.details
    tokens, identity = exchange_and_identify(
        validated, row, whose=identify, give_up=partial(_give_up, row)
    )
    return ReceivedProviderGrant(
        row=row,
        upstream=validated.upstream,
        tokens=tokens,
        identity=identity,
        flow=validated.flow,
        reauthorises=details["connection_id"] is not None,
        alias=details["alias"],
    )


def _give_up(row: Connection) -> Connection:
    current = Connection.objects.select_for_update().get(pk=row.pk)
    end_if_pending(current)
    return current
