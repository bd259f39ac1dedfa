"""Who may go through with a team's flow."""

from datetime import datetime
from uuid import UUID

from connections_project.connections.errors import InvalidStateError
from connections_project.connections.flow import Flow
from connections_project.core import clock
from connections_project.identity.models import ApiKey, Membership, User

Principal = User | ApiKey


def proven_principal(taken: Flow, caller: Principal | None) -> Principal:
    """Return a flow's principal, as long as it may act for the flow's team.

    A flow that a user started is that user's alone. One that a program started with the team's key
    ends in a person's browser, so that any member of the team may bring it back, and that key.

    Args:
        caller: Who sends it, if credentials came with it.

    Raises:
        InvalidStateError: Somebody else has brought it, or its principal is not good any more.
    """
    team_id = UUID(taken.details["team_id"])
    principal = _principal(taken)
    if principal is None or not still_acts_for(principal, team_id, since=taken.started_at):
        raise InvalidStateError
    if caller is None or caller.pk == principal.pk:
        return principal
    if not isinstance(principal, ApiKey) or not isinstance(caller, User):
        raise InvalidStateError
    if not still_acts_for(caller, team_id, since=clock.now()):
        raise InvalidStateError
    return principal


def still_acts_for(principal: Principal, team_id: UUID, *, since: datetime) -> bool:
    """Whether a principal is active and in this team now, whatever was read of it before.

    Args:
        since: When a user began what it comes with; a key has no sessions that could be ended.
    """
    if isinstance(principal, ApiKey):
        key = ApiKey.objects.filter(pk=principal.pk, team_id=team_id).first()
        return key is not None and key.is_good(now=clock.now())
    members = Membership.objects.filter(user=principal, team_id=team_id).select_related("user")
    member = members.first()
    return member is not None and member.user.is_good_since(since)


def _principal(taken: Flow) -> Principal | None:
    if taken.details["by_key"]:
        return ApiKey.objects.filter(pk=taken.principal_id).first()
    return User.objects.filter(pk=taken.principal_id).first()
