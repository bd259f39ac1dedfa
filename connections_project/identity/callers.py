"""Who calls on behalf of which team: a member by Bearer, or a program by the team's key."""

from dataclasses import dataclass
from uuid import UUID

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from connections_project.core.parsing import parse_uuid
from connections_project.identity.keys import find_key
from connections_project.identity.models import ApiKey, Scope, Team, User

# No team has it: whoever names a malformed id costs as much as who names a wrong one.
NO_TEAM = UUID(int=0)


class NotAMemberError(Exception):
    """The principal does not belong to the team that it names."""


@dataclass(frozen=True)
class TeamCaller:
    """A principal that was let in, and the team that it acts for."""

    team_id: UUID
    principal: User | ApiKey

    @property
    def principal_id(self) -> UUID:
        return self.principal.pk

    def may(self, scope: Scope) -> bool:
        """Whether this is allowed; members hold every scope."""
        return not isinstance(self.principal, ApiKey) or scope in self.principal.scopes


def member_caller(user: User, *, team: str | None) -> TeamCaller:
    """Return a signed-in user as a team's caller.

    Args:
        team: The team's id as it came; None for the user's own.

    Raises:
        NotAMemberError: No such team, or not one of theirs.
    """
    teams = Team.objects.filter(memberships__user=user)
    own = teams.filter(owner=user) if team is None else teams.filter(pk=_team_id(team))
    team_id = own.values_list("pk", flat=True).first()
    if team_id is None:
        raise NotAMemberError
    return TeamCaller(team_id, user)


def key_caller(raw: str, *, team: str) -> TeamCaller:
    """Return an API key as its team's caller.

    Raises:
        BadKeyError: See `find_key`.
    """
    key = find_key(raw, team_id=_team_id(team))
    return TeamCaller(key.team_id, key)


def caller_of(request: Request) -> TeamCaller:
    """Return the caller of a request that needs one.

    Raises:
        NotAuthenticated: Nobody was let in.
    """
    caller = possible_caller_of(request)
    if caller is None:
        raise NotAuthenticated
    return caller


def possible_caller_of(request: Request) -> TeamCaller | None:
    return request.auth if isinstance(request.auth, TeamCaller) else None


def _team_id(team: str) -> UUID:
    return parse_uuid(team) or NO_TEAM
