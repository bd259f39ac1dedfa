"""What a key must be allowed to do; members of the team are allowed everything."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from connections_project.identity.callers import possible_caller_of


class HasScope(BasePermission):
    """Lets nobody in without credentials, but where the state is the proof."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = possible_caller_of(request)
        if caller is None:
            return bool(view.action == "callback")
        return bool(caller.may(view.scope))
