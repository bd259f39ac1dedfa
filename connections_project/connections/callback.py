"""Complete a flow up to the tokens: what the callbacks of all apps share.

take the state → whose is it? → look at the answer → exchange → whose account is it?

Each refusal is audited. What becomes of the tokens is each app's own (`store_grant`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from rest_framework.request import Request

from audit.events import ActorType, Outcome
from audit.record import Origin, record
from connections_project.api.serializers import required_parameters
from connections_project.connections import flow
from connections_project.connections.errors import (
    AlreadyConnectedError,
    ConnectFailedError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.connections.flow import Answer, Flow
from connections_project.connections.models import OAuthConnection
from connections_project.connections.open_questions import note_stored
from connections_project.connections.outbound_limits import reserve
from connections_project.connections.records import record_about
from connections_project.connections.registry import actions_of
from connections_project.connections.unstored import store_or_revoke
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.storable import require_storable
from connections_project.identity.models import ApiKey, User
from connections_project.oauth import client
from connections_project.oauth.client import TokenSet, UnusableTokensError
from connections_project.oauth.errors import PlatformError
from connections_project.platforms.registry import (
    PlatformUnavailableError,
    UnknownPlatformError,
    Upstream,
)
from connections_project.revocation.grants import Grant
from connections_project.revocation.release import ends_the_grant, revoke_unstored

T = TypeVar("T")
S = TypeVar("S")
P = TypeVar("P", User, ApiKey, User | ApiKey)


@dataclass(frozen=True)
class ValidatedFlow(Generic[P]):
    """A flow whose answer may be acted upon.

    Args:
        flow: What was remembered when it was started.
        origin: The call, with the principal as its actor.
        began: Before the platform was asked for anything.
        lease: Under which the questions stand that are noted with what is stored.
    """

    flow: Flow
    principal: P
    upstream: Upstream
    origin: Origin
    code: str = field(repr=False)
    began: datetime = field(default_factory=clock.now)
    lease: UUID = field(default_factory=uuid7)


def validate_user_callback(
    *, app: str, state: str, answer: Answer, caller: User | None, origin: Origin
) -> ValidatedFlow[User]:
    """Validate the callback of a user's flow.

    Args:
        caller: Who is signed in at this call, if anybody; the state itself proves its principal.

    Raises:
        As `validate_callback`.
    """
    return validate_callback(
        app=app,
        state=state,
        answer=answer,
        prove=partial(_user, caller=caller),
        owner_id=lambda taken: taken.principal_id,
        origin=origin,
    )


def validate_callback(
    *,
    app: str,
    state: str,
    answer: Answer,
    prove: Callable[[Flow], P],
    owner_id: Callable[[Flow], UUID],
    origin: Origin,
) -> ValidatedFlow[P]:
    """Validate a callback: consume its state, check its flow. Nothing is sent to the platform.

    Args:
        prove: Gives the flow's principal, who must still be good for something; it raises
            InvalidStateError also where somebody else has brought the state.
        owner_id: Gives whose connection it would be: a user, or a team.

    Raises:
        InvalidStateError: Unknown, used, expired or somebody else's state.
        AuthorizationDeclinedError, IssuerMismatchError, UnknownPlatformError,
        PlatformUnavailableError: See `flow.check`.
        StateStoreUnavailable: The cache is away.
        PlatformBusyError, OperationalError: See `outbound_limits.reserve` and `require_storable`;
            the state can still be used.
    """
    if answer.code is not None:
        _reserve(app, state)
    taken = flow.consume(app=app, state=state)
    owner = owner_id(taken)
    with refusals_recorded(taken, owner_id=owner, origin=origin):
        principal = prove(taken)
        if not taken.has_good_link:
            raise InvalidStateError
    actor_type = ActorType(principal.principal_type)
    acting = replace(origin, actor_type=actor_type, actor_id=principal.pk)
    with refusals_recorded(taken, owner_id=owner, origin=acting):
        upstream = flow.check(taken, answer)
    return ValidatedFlow(taken, principal, upstream, acting, answer.code or "")


def _reserve(app: str, state: str) -> None:
    """Have a thread for the exchange, and room for what it brings, before the state is spent."""
    preview = flow.peek(state)
    if preview is not None and preview.app == app:
        # Who waits for the database holds one of the platform's threads, of which there are few.
        reserve(preview.slug)
        require_storable()


def _user(taken: Flow, *, caller: User | None) -> User:
    if caller is not None and caller.pk != taken.principal_id:
        raise InvalidStateError
    user = User.objects.filter(pk=taken.principal_id).first()
    if user is None or not user.is_good_since(taken.started_at):
        raise InvalidStateError
    return user


@contextmanager
def refusals_recorded(taken: Flow, *, owner_id: UUID, origin: Origin) -> Iterator[None]:
    """Record a flow that ends before it has a row.

    Args:
        owner_id: Whose connection it would have been: a user, or a team.
    """
    try:
        yield
    except (ConnectionProblem, PlatformUnavailableError, UnknownPlatformError) as problem:
        error = problem.code if isinstance(problem, ConnectionProblem) else "platform_unavailable"
        with transaction.atomic():
            record(
                actions_of(taken.app).connection_failed,
                origin=origin,
                subject_type=f"{taken.app}.connection",
                subject_id=None,
                subject_owner_id=owner_id,
                outcome=Outcome.FAILURE,
                details={"platform": taken.slug, "error": error},
            )
        raise


def exchange_and_identify(
    validated: ValidatedFlow[Any],
    row: OAuthConnection,
    *,
    whose: Callable[[Upstream, TokenSet], T],
    give_up: Callable[[], OAuthConnection | None] = lambda: None,
) -> tuple[TokenSet, T]:
    """Exchange the code and ask whose account it is; a failure is audited.

    Tokens of which nobody knows for which account they are, or that came in an answer that can't be
    used, go to the revoker; an id_token may say who gave them.

    Args:
        row: What the tokens are for, saved or not: it names the subject in the audit log.
        whose: Asks the platform, such as `platforms.client.identify`; it may raise PlatformError.
        give_up: What the app does to its row, in the transaction that audits the failure; it gives
            the row as it is then, if it has one.

    Raises:
        ConnectFailedError: The platform refused, or could not be reached, or answered nonsense.
    """
    came: list[TokenSet] = []
    upstream = validated.upstream
    try:
        came.append(flow.exchange(validated.flow, upstream, code=validated.code))
        return came[0], whose(upstream, came[0])
    except PlatformError as error:
        if isinstance(error, UnusableTokensError):
            came.append(error.tokens)
        settle = partial(_record_failure, validated, came, error, lambda: give_up() or row)
        grant = _grant_of(upstream, came[-1] if came else TokenSet(""), error)
        store_or_revoke(settle, upstream=upstream, row=row, grant=grant, tokens=came)
        raise ConnectFailedError from error


def _grant_of(upstream: Upstream, tokens: TokenSet, error: PlatformError) -> Grant:
    user = error.granted_by or client.granting_user(
        upstream.platform, upstream.registration, tokens
    )
    return Grant(upstream.authority, upstream.registration.client_id, user)


def _record_failure(
    validated: ValidatedFlow[Any],
    came: Sequence[TokenSet],
    error: PlatformError,
    give_up: Callable[[], OAuthConnection],
) -> None:
    upstream, origin = validated.upstream, validated.origin
    details: dict[str, Any] = {"error": error.code}
    with transaction.atomic():
        row = give_up()
        for tokens in came:
            bundle = row.token_bundle(tokens, grant=_grant_of(upstream, tokens, error))
            details["revocation"] = revoke_unstored(bundle, origin=origin)
        failed = actions_of(row.app).connection_failed
        record_about(row, failed, origin=origin, outcome=Outcome.FAILURE, **details)


def store_received(
    validated: ValidatedFlow[Any], received: Any, store: Callable[..., S | ConnectionProblem]
) -> S:
    """Store what a flow has brought in one commit, or have it revoked.

    Args:
        received: The tokens; a second try, where the database fails, begins with its row as it was.
        store: The app's own; it takes what came and `origin`, in a transaction. A problem that it
            returns is raised after the commit.

    Raises:
        ConnectionProblem: Whatever `store` returns.
    """

    def commit() -> S | ConnectionProblem:
        with transaction.atomic():
            stored = store(replace(received, row=copy(received.row)), origin=validated.origin)
            is_stored = not isinstance(stored, ConnectionProblem)
            if is_stored or isinstance(stored, AlreadyConnectedError):
                _note_stored(validated, received.grant)
            return stored

    stored = store_or_revoke(
        commit,
        upstream=validated.upstream,
        row=received.row,
        grant=received.grant,
        tokens=[received.tokens],
    )
    if isinstance(stored, ConnectionProblem):
        raise stored
    return stored


def _note_stored(validated: ValidatedFlow[Any], grant: Grant) -> None:
    if ends_the_grant(validated.upstream):
        note_stored(grant, lease=validated.lease)


def authorization_response(query: QueryDict) -> Answer:
    """Read what the platform says."""
    return Answer(query.get("code") or None, query.get("error") or None, query.get("iss"))


def state_and_answer(request: Request) -> tuple[str, Answer]:
    """Read both at once.

    Raises:
        FaultError: 400 that names what is missing: the state, or the code where there is no error.
    """
    answer = authorization_response(request.query_params)
    required_parameters(request, *(("state",) if answer.error else ("code", "state")))
    return request.query_params["state"], answer
