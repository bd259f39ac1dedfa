"""Connect a provider: start the flow, and go through with what the platform sends back.

take the state → look at the answer → pending row → exchange → whose account is it? → settle
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Action, ActorType, Outcome
from audit.record import Origin, record
from connections_project.connections import flow
from connections_project.connections.errors import (
    AlreadyDisconnectedError,
    ConnectFailedError,
    ConnectionProblem,
    InvalidStateError,
    NotReauthorisableError,
)
from connections_project.connections.flow import Answer, Authorization, Flow
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.platforms.registry import (
    PlatformUnavailableError,
    UnknownPlatformError,
    Upstream,
    connectable,
)
from connections_project.revocation.grants import Grant
from connections_project.revocation.release import release_late
from providers.models import Connection, Status
from providers.records import record_about
from providers.selectors import own_connection
from providers.settle import REAUTHORISABLE, Arrival, end_if_pending, settle

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
        slug: The provider.
        alias: The user's own name for the connection.
        redirect_uri: A registered one, or None for the default.
        reauthorise: A connection that is to take the new grant in place.
        user: Who connects.
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
        details={
            "alias": alias,
            "connection_id": str(reauthorise) if reauthorise else None,
        },
    )


def _check_reauthorisable(connection: Connection, slug: str) -> None:
    if connection.status == Status.DISCONNECTED:
        raise AlreadyDisconnectedError
    if connection.status not in REAUTHORISABLE or connection.provider_slug != slug:
        raise NotReauthorisableError


def complete(*, state: str, answer: Answer, bearer: User | None, origin: Origin) -> Connection:
    """Go through with a flow.

    Args:
        state: As it came back.
        answer: What the platform sent with it.
        bearer: Who is signed in at this call, if anybody; the state itself proves its principal.
        origin: The call, for the audit log.

    Raises:
        InvalidStateError: Unknown, used, expired or somebody else's state; or a disconnect won.
        AuthorizationDeclinedError, IssuerMismatchError, PlatformUnavailableError: See `flow.check`.
        ConnectFailedError: The exchange or the look at the account failed.
        AccountMismatchError: See `settle`.
        StateStoreUnavailable: The cache is away.
    """
    taken = flow.take(app=APP, state=state)
    with _refusals_recorded(taken, origin):
        user = _principal(taken, bearer)
    origin = replace(origin, actor_type=ActorType(user.principal_type), actor_id=user.pk)
    with _refusals_recorded(taken, origin):
        upstream = flow.check(taken, answer)
        row = _row_for(taken, user)
    arrival = _ask(row, taken, upstream, code=answer.code or "", origin=origin)
    return settle(arrival, origin=origin)


def _principal(taken: Flow, bearer: User | None) -> User:
    if bearer is not None and bearer.pk != taken.principal_id:
        raise InvalidStateError
    user = User.objects.filter(pk=taken.principal_id, is_active=True).first()
    if user is None:
        raise InvalidStateError
    return user


def _row_for(taken: Flow, user: User) -> Connection:
    """Give the row that the grant is for: a new pending one, or the one to reauthorise."""
    if taken.details["connection_id"] is None:
        now = timezone.now()
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


def _ask(row: Connection, taken: Flow, upstream: Upstream, *, code: str, origin: Origin) -> Arrival:
    tokens: TokenSet | None = None
    try:
        tokens = flow.exchange(taken, upstream, code=code)
        identity = flow.identify(upstream, tokens)
    except PlatformError as error:
        _fail(row, upstream, tokens, error, origin=origin)
        raise ConnectFailedError from error
    reauthorises = taken.details["connection_id"] is not None
    alias = taken.details["alias"]
    return Arrival(row, upstream, tokens, identity, reauthorises=reauthorises, alias=alias)


def _fail(
    row: Connection,
    upstream: Upstream,
    tokens: TokenSet | None,
    error: PlatformError,
    *,
    origin: Origin,
) -> None:
    """End the try, and have tokens revoked of which nobody knows whose they are."""
    details: dict[str, str] = {"error": error.code}
    grant = Grant(upstream.authority, upstream.registration.client_id, None)
    with transaction.atomic():
        current = Connection.objects.select_for_update().get(pk=row.pk)
        end_if_pending(current)
        if tokens is not None:
            held = current.held(current.sealed(tokens), grant=grant)
            details["revocation"] = release_late(held, origin=origin)
        record_about(
            current,
            Action.PROVIDER_CONNECTION_FAILED,
            origin=origin,
            outcome=Outcome.FAILURE,
            **details,
        )


@contextmanager
def _refusals_recorded(taken: Flow, origin: Origin) -> Iterator[None]:
    """Tell of a flow that ends before it has a row."""
    try:
        yield
    except (ConnectionProblem, PlatformUnavailableError, UnknownPlatformError) as problem:
        error = problem.code if isinstance(problem, ConnectionProblem) else "platform_unavailable"
        with transaction.atomic():
            _record_refusal(taken, error, origin)
        raise


def _record_refusal(taken: Flow, error: str, origin: Origin) -> None:
    record(
        Action.PROVIDER_CONNECTION_FAILED,
        origin=origin,
        subject_type="providers.connection",
        subject_id=None,
        subject_owner_id=taken.principal_id,
        outcome=Outcome.FAILURE,
        details={"platform": taken.slug, "error": error},
    )
