"""Finding teams, for commands and the admin."""

from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from connections_project.identity.models import Membership, Team

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Size(TypedDict):
    members_count: int


def shared_teams() -> "QuerySet[Team]":
    """Find the teams that people share: all but those of which the owner is the only member."""
    others = Membership.objects.filter(team=OuterRef("pk")).exclude(user=OuterRef("owner"))
    return Team.objects.filter(Q(owner=None) | Exists(others))


def listed_teams(
    *, member: UUID | None = None, personal: bool = False
) -> "QuerySet[WithAnnotations[Team, Size]]":
    """Find teams with their numbers of members, the newest first.

    Args:
        member: The id of a principal who belongs to them; None for anybody's.
        personal: Whether principals' own teams are among them that nobody else belongs to.
    """
    teams = Team.objects.all() if personal else shared_teams()
    if member is not None:
        teams = teams.filter(Exists(Membership.objects.filter(team=OuterRef("pk"), user=member)))
    return teams.annotate(members_count=Count("memberships")).order_by("-pk")
