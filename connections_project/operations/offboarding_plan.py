"""What is ended when a user leaves, and what stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from connections_project.connections.registry import Rows, connection_type, connection_types
from connections_project.core import clock
from connections_project.identity.models import ApiKey, Membership, Team, User
from connections_project.operations.blast_radius import blast_radius
from connections_project.operations.options import BlastRadius


@dataclass(frozen=True)
class OffboardingPlan:
    """What is ended when a user leaves, and what stays.

    Args:
        leaving: What would be ended, by app. Of what teams own these are the ones of teams of
            which the user is the last active member.
        staying: How many connections of teams stay with teams that have other active members.
        ending_keys: Good API keys of the user's own team, which are revoked.
        keys: Other good API keys that the user made, or of teams that are left without anybody:
            they go on working until somebody decides otherwise.
    """

    leaving: Mapping[str, BlastRadius]
    staying: int
    ending_keys: tuple[ApiKey, ...]
    keys: tuple[ApiKey, ...]

    @property
    def connections(self) -> int:
        return sum(radius.connections for radius in self.leaving.values())


def may_offboard(operator: Any, user: User, *, forget: bool) -> bool:
    """Whether an operator may end all that goes with a user.

    Each app of which anything is left to be ended, or erased, needs its own permission.
    """
    needed = [
        connection_type(app)
        for app, rows in own(user).items()
        if connection_type(app).unfinished(rows, erase_tokens=forget).exists()
    ]
    return all(one.may_force_disconnect(operator) for one in needed)


def offboarding_plan(user: User, *, forget: bool = False) -> OffboardingPlan:
    """Return what would be ended, and what would stay, if a user left.

    Args:
        forget: As for `forget`, which also erases kept tokens.
    """
    left = {app: blast_radius(app, rows, erase_tokens=forget) for app, rows in own(user).items()}
    return OffboardingPlan(
        left, _staying(user), tuple(own_keys(user)), tuple(keys_to_decide_on(user))
    )


def _staying(user: User) -> int:
    """Count what stays with teams that have other members."""
    return sum(
        one.unfinished(one.rows.filter(team__in=_teams_that_remain(user))).count()
        for one in connection_types()
        if one.belongs_to_teams
    )


def keys_to_decide_on(user: User) -> "QuerySet[ApiKey]":
    """Find the good keys that a user made, and those of teams without any other active member,
    but for those that end with the user."""
    whose = Q(created_by=user) | Q(team__in=_left_alone(user))
    found = _good_keys().filter(whose).exclude(pk__in=own_keys(user).values("pk"))
    return found.select_related("team").order_by("pk")


def own_keys(user: User) -> "QuerySet[ApiKey]":
    """Find the good keys of the user's own team, unless others are active in it."""
    return _good_keys().filter(team__owner=user, team__in=_left_alone(user)).select_related("team")


def _good_keys() -> "QuerySet[ApiKey]":
    good = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return ApiKey.objects.filter(good, revoked_at=None)


def own(user: User) -> dict[str, Rows]:
    """Find what is the user's own, by app: of the teams, what nobody else would have."""
    return {
        one.app: one.rows.filter(
            Q(team__in=_left_alone(user)) if one.belongs_to_teams else Q(user=user)
        )
        for one in connection_types()
    }


def teams_of(user: User) -> "QuerySet[Team]":
    """Find the teams a user belongs to, and its own one, even if it was taken out of that."""
    joined = Membership.objects.filter(user=user).values("team")
    # No OR, for which PostgreSQL would read the whole table.
    return Team.objects.filter(pk__in=joined.union(Team.objects.filter(owner=user).values("pk")))


def _left_alone(user: User) -> "QuerySet[Team]":
    """Find the user's teams that have no other active member."""
    return teams_of(user).filter(~Exists(_other_members(user)))


def _teams_that_remain(user: User) -> "QuerySet[Team]":
    return Team.objects.filter(Exists(_other_members(user)), memberships__user=user)


def _other_members(user: User) -> "QuerySet[Membership]":
    others = Membership.objects.filter(team=OuterRef("pk"), user__is_active=True)
    return others.exclude(user=user)
