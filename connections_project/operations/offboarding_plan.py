"""What goes with a user who goes, and what stays behind."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from channels.models import ChannelConnection
from connections_project.core.parsing import parse_uuid
from connections_project.identity.fields import normal_email
from connections_project.identity.models import ApiKey, Membership, Team, User
from connections_project.operations.blast_radius import blast_radius
from connections_project.operations.options import BlastRadius
from connections_project.operations.targets import TARGETS, Rows
from providers.models import Connection
from social.models import SocialAccount


@dataclass(frozen=True)
class OffboardingPlan:
    """What goes with a user, and what stays behind.

    Args:
        leaving: What would be ended, by app. Of social accounts these are the ones of teams of
            which the user is the last active member.
        staying: How many social accounts stay with teams that have other active members.
        keys: Good API keys that the user made, or of teams that are left without anybody: they go
            on working until somebody decides otherwise.
    """

    leaving: Mapping[str, BlastRadius]
    staying: int
    keys: tuple[ApiKey, ...]

    @property
    def connections(self) -> int:
        return sum(radius.connections for radius in self.leaving.values())


def offboarding_plan(user: User, *, forget: bool = False) -> OffboardingPlan:
    """Tell what would become of what a user has.

    Args:
        user: Who goes.
        forget: As for `forget`, which also erases the tokens of social accounts.
    """
    rows = own(user)
    left = {
        app: blast_radius(app, rows[app], revoke=True, erase_tokens=forget and app == "social")
        for app in TARGETS
    }
    staying = SocialAccount.objects.filter(is_active=True, team__in=_going_on(user)).count()
    return OffboardingPlan(left, staying, tuple(keys_to_decide_on(user)))


def keys_to_decide_on(user: User) -> "QuerySet[ApiKey]":
    """Find the good keys that a user made, and those of teams without any other active member."""
    good = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    whose = Q(created_by=user) | Q(team__in=_left_alone(user))
    return ApiKey.objects.filter(good, whose).select_related("team").order_by("pk")


def own(user: User) -> dict[str, Rows]:
    """Find what is the user's own: of the teams, what nobody else would have."""
    return {
        "providers": Connection.objects.filter(user=user),
        "channels": ChannelConnection.objects.filter(user=user),
        "social": SocialAccount.objects.filter(team__in=_left_alone(user)),
    }


def _left_alone(user: User) -> "QuerySet[Team]":
    """Find the user's teams that have no other active member."""
    return Team.objects.filter(~Exists(_others(user)), memberships__user=user)


def _going_on(user: User) -> "QuerySet[Team]":
    return Team.objects.filter(Exists(_others(user)), memberships__user=user)


def _others(user: User) -> "QuerySet[Membership]":
    others = Membership.objects.filter(team=OuterRef("pk"), user__is_active=True)
    return others.exclude(user=user)


def find_user(email_or_id: str) -> User | None:
    """Find a user by address, in any case, or by id, which is all that is left of some."""
    found = parse_uuid(email_or_id)
    which = Q(pk=found) if found else Q(email=normal_email(email_or_id))
    return User.objects.filter(which).first()
