"""What a key must be allowed to do; members of the team are allowed everything."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from connections_project.identity.callers import possible_caller_of

if TYPE_CHECKING:
    from social.api.views import SocialViewSet


class HasScope(BasePermission):
    """Lets nobody in without credentials, but where the state is the proof."""

    def has_permission(self, request: Request, view: "SocialViewSet | Any") -> bool:
        caller = possible_caller_of(request)
        if caller is None:
            return view.action == "callback"
        return caller.may(view.scope)
