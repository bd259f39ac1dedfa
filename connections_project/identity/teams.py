"""Finding teams, for commands and the admin."""

from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from connections_project.core.parsing import parse_uuid
from connections_project.identity.fields import normal_email
from connections_project.identity.models import Membership, Team, User

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Size(TypedDict):
    members_count: int
    active_count: int


def shared_teams() -> "QuerySet[Team]":
    """Find the teams that people share: all but those of which the owner is the only member."""
    others = Membership.objects.filter(team=OuterRef("pk")).exclude(user=OuterRef("owner"))
    return Team.objects.filter(Q(owner=None) | Exists(others))


def teams_called(term: str) -> list[Team]:
    """Find the teams of that id or name, or whose owner has that e-mail address, at most ten."""
    found = parse_uuid(term)
    exact = Q(pk=found) if found else Q(name=term)
    owners = User.objects.filter(email=normal_email(term)).values("pk")
    return _first(exact) or _first(Q(owner__in=owners))


def teams_beginning(term: str) -> list[Team]:
    """Find the teams whose names begin so, at most ten."""
    return _first(Q(name__startswith=term))


def _first(which: Q) -> list[Team]:
    return list(Team.objects.filter(which).order_by("name", "pk")[:10])


def listed_teams(
    *, member: UUID | None = None, personal: bool = False
) -> "QuerySet[WithAnnotations[Team, Size]]":
    """Find teams with their numbers of members and of active ones, the newest first.

    Args:
        member: The id of a principal who belongs to them; None for anybody's.
        personal: Whether principals' own teams are among them that nobody else belongs to.
    """
    teams = Team.objects.all() if personal else shared_teams()
    if member is not None:
        teams = teams.filter(Exists(Membership.objects.filter(team=OuterRef("pk"), user=member)))
    active = Count("memberships", filter=Q(memberships__user__is_active=True))
    counted = teams.annotate(members_count=Count("memberships"), active_count=active)
    return counted.order_by("-pk")
