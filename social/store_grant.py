"""Store what a team's grant has brought: in new records, and in those that may take it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from audit.events import Action
from audit.record import Event, Origin, record_many
from connections_project.connections.errors import (
    AuthorizationDeclinedError,
    ConnectionProblem,
    InvalidStateError,
)
from connections_project.connections.flow import Flow
from connections_project.connections.records import event_about, record_about
from connections_project.connections.store_grant import (
    ReceivedGrant,
    lock_owner,
    refuse,
    take_grant,
    with_stored_refresh_token,
)
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.identity.models import Team, User
from connections_project.oauth.client import GrantedAccount, GrantResult, Identity, TokenSet
from connections_project.platforms.registry import Upstream
from connections_project.revocation.grants import Grant, add_holders, has_holders
from connections_project.revocation.release import revoke_unstored
from social.models import SocialAccount
from social.principals import Principal, still_acts_for


@dataclass(frozen=True)
class Known:
    """When each of a team's accounts was disconnected, as of before the platform was asked."""

    disconnected_at: dict[UUID, datetime | None]

    @classmethod
    def of(cls, team_id: UUID, platform: str) -> Self:
        rows = SocialAccount.objects.filter(team_id=team_id, platform=platform)
        return cls(dict(rows.values_list("pk", "disconnected_at")))

    def was_disconnected_since(self, row: SocialAccount) -> bool:
        """Whether a row came to be inactive while the platform was asked."""
        return row.is_disconnected and self.disconnected_at.get(row.pk) != row.disconnected_at


@dataclass(frozen=True, kw_only=True)
class ReceivedTeamGrant:
    """A grant that has just come.

    Args:
        row: An unsaved one: it names the team, the platform and the audit's subject.
        known: What was there before the platform was asked.
        named: The disconnected accounts that are to come back.
    """

    row: SocialAccount
    principal: Principal
    upstream: Upstream
    flow: Flow
    result: GrantResult
    known: Known
    named: frozenset[UUID]

    @property
    def tokens(self) -> TokenSet:
        return self.result.tokens

    def of(self, account: GrantedAccount) -> ReceivedGrant:
        # One that the platform gives no name is called by its id, so that people can recognize it.
        name = account.identity.account_name or account.identity.account_id
        return ReceivedGrant(
            upstream=self.upstream,
            tokens=account.tokens,
            identity=replace(account.identity, account_name=name),
            granted_by=self.result.granted_by,
        )

    @property
    def whole(self) -> ReceivedGrant:
        """Return the grant as a whole: what is released where no account takes its tokens."""
        identity = Identity(self.result.granted_by, None)
        return ReceivedGrant(upstream=self.upstream, tokens=self.result.tokens, identity=identity)

    @property
    def grant(self) -> Grant:
        return self.whole.grant


@dataclass(frozen=True)
class StoredGrant:
    """What has become of a grant's accounts.

    Args:
        accounts: Those that have taken fresh tokens, in the platform's order.
        skipped: Those that were disconnected before, and stay so.
    """

    accounts: list[SocialAccount]
    skipped: list[SocialAccount]


def store_grant(received: ReceivedTeamGrant, *, origin: Origin) -> StoredGrant | ConnectionProblem:
    """Store the tokens of every account that may have them; release a grant that none takes.

    Returns:
        What has become of the accounts, or a problem to be raised after the commit:
        InvalidStateError where a disconnect won, or the principal no longer acts for the team;
        AuthorizationDeclinedError where no account was granted.
    """
    # One at a time for each team: of two for the same account the second finds the first.
    Team.objects.select_for_update(no_key=True).get(pk=received.row.team_id)
    if isinstance(received.principal, User):
        # A new password, or the end of all sessions, that is on its way comes first.
        lock_owner(received.principal.pk)
    principal, flow = received.principal, received.flow
    is_member = still_acts_for(principal, received.row.team_id, since=flow.started_at)
    if not is_member or not flow.has_good_link:
        return _refuse(InvalidStateError(), received, origin=origin)
    if not received.result.accounts:
        return _refuse(AuthorizationDeclinedError(), received, origin=origin)
    rows = _locked_rows(received)
    takers = list(_accounts_to_store(received, rows))
    taken = {row.pk for row, _ in takers}
    skipped = [row for row in rows.values() if row.pk not in taken]
    if takers:
        return StoredGrant(_store(takers, received, origin=origin), skipped)
    if any(received.known.was_disconnected_since(row) for row in rows.values()):
        return _refuse(InvalidStateError(), received, origin=origin)
    _leave_all_inactive(received, origin=origin)
    return StoredGrant([], skipped)


def _locked_rows(received: ReceivedTeamGrant) -> dict[str | None, SocialAccount]:
    """Lock the records of the accounts that came, and all holders of their grant, in one order."""
    ids = [account.identity.account_id for account in received.result.accounts]
    rows = (
        SocialAccount.objects.select_for_update()
        .filter(
            team_id=received.row.team_id,
            platform=received.row.platform,
            platform_account_id__in=ids,
        )
        .order_by("pk")
    )
    found = {row.platform_account_id: row for row in rows}
    has_holders(received.grant, lock=True)
    return found


def _accounts_to_store(
    received: ReceivedTeamGrant, rows: dict[str | None, SocialAccount]
) -> Iterator[tuple[SocialAccount, GrantedAccount]]:
    """Pair each account that may take its tokens with its record, be it a new one."""
    is_alone = len(received.result.accounts) == 1
    for account in received.result.accounts:
        row = rows.get(account.identity.account_id)
        if row is None:
            yield _new_row(received), account
        elif not row.is_disconnected or _is_reconnected(row, received, is_alone=is_alone):
            yield row, account


def _is_reconnected(row: SocialAccount, received: ReceivedTeamGrant, *, is_alone: bool) -> bool:
    """Whether a disconnected account is meant: by name, or since nothing else can be.

    A sibling that the platform merely lists stays as its team left it, and a disconnect that came
    while the platform was asked wins.
    """
    is_meant = is_alone or row.pk in received.named
    return is_meant and not received.known.was_disconnected_since(row)


def _new_row(received: ReceivedTeamGrant) -> SocialAccount:
    now = clock.now()
    return SocialAccount(
        team_id=received.row.team_id, platform=received.row.platform, created_at=now, updated_at=now
    )


def _store(
    takers: list[tuple[SocialAccount, GrantedAccount]],
    received: ReceivedTeamGrant,
    *,
    origin: Origin,
) -> list[SocialAccount]:
    """Store all accounts by a few statements, however many a grant is for."""
    grants = [with_stored_refresh_token(row, received.of(account)) for row, account in takers]
    token_set = _token_set(takers, grants)
    _keep_what_others_live_on([row for row, _ in takers])
    events = []
    for (row, account), grant in zip(takers, grants, strict=True):
        comes_back, is_new = row.is_disconnected, row._state.adding
        row.activate()
        row.token_set = token_set if account.shares_tokens else None
        take_grant(row, grant, origin=origin)
        events.append(_connected(row, origin=origin, reconnected=comes_back, is_new=is_new))
    rows = [row for row, _ in takers]
    save_all(rows)
    add_holders({row.pk: row.grant for row in rows}, app=SocialAccount.app)
    record_many(events)
    return rows


def _token_set(
    takers: list[tuple[SocialAccount, GrantedAccount]], grants: list[ReceivedGrant]
) -> UUID | None:
    """Name the tokens that accounts share: as before for those that keep their refresh token, which
    others beside them may live on too."""
    sharing = [
        (row, grant.tokens is not account.tokens)
        for (row, account), grant in zip(takers, grants, strict=True)
        if account.shares_tokens
    ]
    known = [row.token_set for row, keeps in sharing if keeps and row.token_set]
    if known:
        return known[0]
    return uuid7() if len(sharing) > 1 else None


# All that a known record may take over from a grant.
CHANGING = [
    field.name
    for field in SocialAccount._meta.concrete_fields
    if field.name not in {"id", "team", "platform", "created_at"}
]


def save_all(rows: list[SocialAccount]) -> None:
    """Save rows, new ones and known ones, by a few statements."""
    SocialAccount.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=CHANGING
    )


def _connected(row: SocialAccount, *, origin: Origin, reconnected: bool, is_new: bool) -> Event:
    return event_about(
        row,
        Action.ACCOUNT_CONNECTED,
        origin=origin,
        accountName=row.platform_account_name,
        reconnected=reconnected,
        notes={"is_new": is_new},
    )


def _keep_what_others_live_on(rows: list[SocialAccount]) -> None:
    """Pass by, at revoking what is replaced, tokens that a record beside these has too.

    Of records that all take fresh ones in place of the same set, one has it revoked.
    """
    sets = {row.token_set for row in rows} - {None}
    if not sets:
        return
    beside = SocialAccount.objects.filter(token_set__in=sets, auth_state__isnull=False)
    beside = beside.exclude(pk__in=[row.pk for row in rows])
    stored = set(beside.values_list("token_set", flat=True))
    for row in rows:
        if row.token_set in stored:
            row.auth_state = None
        stored |= {row.token_set} - {None}


def _refuse(
    problem: ConnectionProblem, received: ReceivedTeamGrant, *, origin: Origin
) -> ConnectionProblem:
    return refuse(problem, received.row, received.whole, same=None, origin=origin)


def _leave_all_inactive(received: ReceivedTeamGrant, *, origin: Origin) -> None:
    """Release a grant whose accounts were all disconnected before, and are to stay so."""
    bundle = received.row.token_bundle(received.result.tokens, grant=received.grant)
    record_about(
        received.row,
        Action.ACCOUNT_CONNECTION_FAILED,
        origin=origin,
        error="all_disconnected",
        revocation=revoke_unstored(bundle, origin=origin),
    )
