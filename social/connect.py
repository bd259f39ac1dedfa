"""Connect a team's accounts: one grant may bring several of them, new ones and known ones.

validate the state → check the answer → exchange → which accounts? → store_grant
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from audit.record import Origin
from connections_project.connections import flow
from connections_project.connections.callback import (
    ValidatedFlow,
    exchange_and_identify,
    store_received,
    validate_callback,
)
from connections_project.connections.confirm import confirm_stored
from connections_project.connections.errors import ConnectionNotFoundError
from connections_project.connections.flow import Answer, Authorization, Flow
from connections_project.core import clock
from connections_project.identity.callers import TeamCaller
from connections_project.identity.models import ApiKey, User
from connections_project.oauth.client import GrantResult
from connections_project.platforms.client import granted_accounts
from connections_project.platforms.registry import connectable
from social.models import SocialAccount
from social.principals import Principal, proven_principal
from social.store_grant import Known, ReceivedTeamGrant, StoredGrant, store_grant

logger = logging.getLogger(__name__)

APP = "social"
# Of one grant. All of them are stored in one transaction, for which the team's others wait.
MOST_ACCOUNTS = 1_000


def begin(
    *,
    platform: str,
    redirect_uri: str | None,
    account_ids: Iterable[UUID],
    caller: TeamCaller,
    browser: str,
) -> Authorization:
    """Start connecting.

    Args:
        redirect_uri: A registered one, or None for the default.
        account_ids: Disconnected accounts of the team that are to come back.
        browser: The value of the cookie that ties the flow to a browser.

    Raises:
        UnknownPlatformError, PlatformUnavailableError, UnregisteredRedirectError,
        StateStoreUnavailable: See `flow.begin`.
        ConnectionNotFoundError: One of the accounts is unknown, another team's, or not there.
    """
    connectable(APP, platform)
    named = set(account_ids)
    known = SocialAccount.objects.filter(team_id=caller.team_id, platform=platform, pk__in=named)
    if named and known.count() < len(named):
        raise ConnectionNotFoundError
    return flow.begin(
        app=APP,
        slug=platform,
        principal=caller.principal,
        redirect_uri=redirect_uri,
        browser=browser,
        details=_details(caller.team_id, named, by_key=isinstance(caller.principal, ApiKey)),
    )


def flow_details(user: User, account: SocialAccount | None) -> dict[str, Any]:
    """Return the details of a flow that is started on the page: for the account's team, or the
    user's own, as where no `x-team-id` comes."""
    named = {account.pk} if account else set()
    return _details(account.team_id if account else user.own_team.pk, named, by_key=False)


def _details(team_id: UUID, account_ids: Iterable[UUID], *, by_key: bool) -> dict[str, Any]:
    return {"team_id": str(team_id), "by_key": by_key, "account_ids": sorted(map(str, account_ids))}


def complete(
    *, state: str, answer: Answer, caller: Principal | None, origin: Origin
) -> list[SocialAccount]:
    """Complete a flow, and return the accounts that have fresh tokens now; see `complete_grant`."""
    return complete_grant(state=state, answer=answer, caller=caller, origin=origin).accounts


def complete_grant(
    *, state: str, answer: Answer, caller: Principal | None, origin: Origin
) -> StoredGrant:
    """Complete a flow.

    Args:
        caller: Who sends it, if credentials came too; the state itself proves its principal.

    Returns:
        The accounts that have fresh tokens now, and those that stay disconnected.

    Raises:
        InvalidStateError: Unknown, used, expired or somebody else's state; or a disconnect won.
        AuthorizationDeclinedError: See `flow.check`; also where no account was granted.
        IssuerMismatchError, PlatformUnavailableError: See `flow.check`.
        ConnectFailedError: The exchange failed, or the look at the accounts.
        StateStoreUnavailable: The cache is away.
    """
    validated: ValidatedFlow[User | ApiKey] = validate_callback(
        app=APP,
        state=state,
        answer=answer,
        prove=lambda taken: proven_principal(taken, caller),
        owner_id=team_of,
        origin=origin,
    )
    received = _ask(validated)
    stored = store_received(validated, received, store_grant)
    confirm_stored(validated, received.grant, *stored.accounts)
    return stored


def team_of(taken: Flow) -> UUID:
    return UUID(taken.details["team_id"])


def _ask(validated: ValidatedFlow[User | ApiKey]) -> ReceivedTeamGrant:
    taken, now = validated.flow, clock.now()
    row = SocialAccount(team_id=team_of(taken), platform=taken.slug, created_at=now, updated_at=now)
    known = Known.of(row.team_id, taken.slug)
    _, result = exchange_and_identify(validated, row, whose=granted_accounts)
    return ReceivedTeamGrant(
        row=row,
        principal=validated.principal,
        upstream=validated.upstream,
        flow=taken,
        result=_bounded(result, taken.slug),
        known=known,
        named=frozenset(map(UUID, taken.details["account_ids"])),
    )


def _bounded(result: GrantResult, platform: str) -> GrantResult:
    """Leave out accounts beyond those that one grant may bring."""
    if len(result.accounts) <= MOST_ACCOUNTS:
        return result
    logger.warning("%s: of %d granted accounts some are left out", platform, len(result.accounts))
    return replace(result, accounts=result.accounts[:MOST_ACCOUNTS])
