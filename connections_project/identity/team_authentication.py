"""Dual authentication: a member's Bearer, or the team's API key."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from connections_project.identity.authentication import PrincipalAuthentication
from connections_project.identity.callers import (
    NotAMemberError,
    TeamCaller,
    key_caller,
    member_caller,
)
from connections_project.identity.keys import BadKeyError
from connections_project.identity.models import ApiKey, User

KEY, TEAM = "x-api-key", "x-team-id"


class TeamAuthentication(BaseAuthentication):
    """Authenticates a caller (`request.user`, a user or a key) and its team (`request.auth`).

    `Authorization: Bearer` stands for the user's own team, or for the one that `x-team-id` names;
    `x-api-key` needs the `x-team-id` of its team. Both at once would leave open who acts.
    """

    def authenticate(self, request: Request) -> tuple[User | ApiKey, TeamCaller] | None:
        """Return the principal and its caller; None where no credentials are sent.

        Raises:
            AuthenticationFailed, NotAuthenticated: They are no good. The body is the same for
                each; a Bearer's challenge says `invalid_token` (RFC 6750, section 3.1).
        """
        raw_key = request.headers.get(KEY)
        if raw_key is None:
            return self._by_bearer(request)
        if "Authorization" in request.headers:
            raise NotAuthenticated
        return self._by_key(request, raw_key)

    def _by_bearer(self, request: Request) -> tuple[User, TeamCaller] | None:
        found = PrincipalAuthentication().authenticate(request)
        if found is None:
            return None
        try:
            caller = member_caller(found[0], team=request.headers.get(TEAM))
        except NotAMemberError:
            raise AuthenticationFailed from None
        return found[0], caller

    def _by_key(self, request: Request, raw_key: str) -> tuple[ApiKey | User, TeamCaller]:
        try:
            caller = key_caller(raw_key, team=request.headers.get(TEAM, ""))
        except BadKeyError:
            raise NotAuthenticated from None
        return caller.principal, caller

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (DRF's signature)
        return "Bearer"
