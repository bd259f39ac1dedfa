"""What the pages show of a connection, ready to be read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from connections_project.connections.attention import AttentionReason
from connections_project.connections.disconnect import tells_platform
from connections_project.connections.overview import Overview
from connections_project.connections.registry import connection_type
from connections_project.core.text import undeceptive
from connections_project.identity.models import Team
from connections_project.pages import wording
from connections_project.platforms.registry import help_url_of, name_of
from connections_project.receipts.facts import facts
from connections_project.revocation.models import JobState
from connections_project.revocation.release import Decision, foresee

# What of the access at the platform is left for the person to do.
LEFT_TO_DO = {*(Decision.NOT_SUPPORTED, Decision.NOT_REQUESTED), JobState.ABANDONED}

REASONS = {
    "expired": AttentionReason.GRANT_EXPIRED,
    "revoked": AttentionReason.GRANT_REVOKED,
    "error": AttentionReason.GRANT_REVOKED,
    "failed": AttentionReason.CONNECT_FAILED,
}


@dataclass(frozen=True)
class Shown:
    """A connection in the list.

    Args:
        account: The account's, as the platform says it; may be empty.
        attention: What it needs; empty where it needs nothing.
        can_reconnect: Whether its platform can be connected from here now.
    """

    id: UUID
    platform: str
    account: str
    state: str
    attention: str
    is_over: bool
    can_reconnect: bool

    @classmethod
    def of(cls, row: Overview, reachable: Collection[str]) -> "Shown":
        platform = name_of(row.platform)
        ends_at = row.grant_expires_at
        times = {"connected_at": row.connected_at, "disconnected_at": row.disconnected_at}
        return cls(
            id=row.id,
            platform=platform,
            account=undeceptive(row.account_name),
            state=wording.since(row.status, **times),
            attention=wording.attention(_reason(row), platform=platform, ends_at=ends_at),
            is_over=row.disconnected_at is not None,
            can_reconnect=row.platform in reachable,
        )


@dataclass(frozen=True)
class Ending:
    """What disconnecting a connection will do.

    Args:
        team: Whose it is, where it is not the person's own alone.
        here: What happens here.
        there: What the platform is told.
        help_url: Where the person can remove the access by hand, where that is left to do.
        scheduled: What is still to be done through it: when, and a text.
        waiting: How much that is, in words; empty for nothing.
    """

    id: UUID
    platform: str
    account: str
    team: str
    here: str
    there: str
    help_url: str
    scheduled: Sequence[tuple[datetime, str]]
    waiting: str

    @classmethod
    def of(cls, row: Any) -> "Ending":
        one, platform = connection_type(row.app), name_of(row.platform_slug)
        decision, keeps = _foreseen(row), row.keeps_tokens
        pending = one.active_schedules(one.rows.filter(pk=row.pk)) if one.active_schedules else 0
        return cls(
            id=row.pk,
            platform=platform,
            account=row.account_name,
            team=_team_of(row),
            here=wording.happens_here(keeps_tokens=keeps),
            there=wording.happens_there(decision, platform=platform, keeps_tokens=keeps),
            help_url=help_url_of(row.platform_slug) if decision in LEFT_TO_DO else "",
            scheduled=one.scheduled(row) if pending else (),
            waiting=wording.waiting(pending) if pending else "",
        )


@dataclass(frozen=True)
class Ended:
    """What disconnecting a connection has done.

    Args:
        here: What became of the credentials.
        there: What is known of the access at the platform.
        help_url: Where the person can remove the access by hand, where that is left to do.
    """

    id: UUID
    platform: str
    account: str
    when: str
    here: str
    there: str
    help_url: str

    @classmethod
    def of(cls, row: Any) -> "Ended":
        """Return it.

        Raises:
            NotDisconnectedError: It is not over.
        """
        known, platform = facts(row), name_of(row.platform_slug)
        left = known.revocation.state in LEFT_TO_DO
        return cls(
            id=row.pk,
            platform=platform,
            account=row.account_name,
            when=wording.minute(known.disconnected_at),
            here=wording.happened_here(known, holds_tokens=row.holds_tokens),
            there=wording.happened_there(known, platform=platform),
            help_url=help_url_of(row.platform_slug) if left else "",
        )


def _reason(row: Overview) -> str | None:
    """Return why it needs its owner; of a row from before that was kept, as its status says."""
    return row.attention_reason or REASONS.get(row.status)


def _foreseen(row: Any) -> Decision:
    if not tells_platform(type(row), revoke=True, erase_tokens=False):
        return Decision.NOT_REQUESTED
    with transaction.atomic():
        return foresee(row)


def _team_of(row: Any) -> str:
    """Return the team's name where others belong to it too, and lose the connection with it."""
    if row.owner_column != "team_id":
        return ""
    team = Team.objects.get(pk=row.responsible_id)
    return team.name if team.memberships.count() > 1 else ""
