"""What the views of the apps have in common."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.views import ApiViewSet
from connections_project.connections.browser import browser_for_start, set_cookie
from connections_project.connections.flow import Authorization
from connections_project.connections.throttling import WriteThrottle
from connections_project.core.parsing import parse_uuid


class UserConnectionViewSet(ApiViewSet):
    """The base of the views of users' connections."""

    throttle_classes = (WriteThrottle,)

    def get_permissions(self) -> Sequence[Any]:
        # The state is the proof, so nobody has to be signed in.
        return [AllowAny()] if self.action == "callback" else super().get_permissions()

    def connection_id(self, request: Request) -> UUID | None:  # noqa: ARG002 - as throttles ask.
        return parse_uuid(self.kwargs["id"])


def started(
    request: Request,
    begin: Callable[..., Authorization],
    answer: Callable[[Authorization], dict[str, Any]],
    *,
    status: int = 201,
) -> Response:
    """Start a flow, and tie it to the browser by a cookie.

    Args:
        begin: The app's own; it takes the `browser`.
    """
    browser = browser_for_start(request._request)
    response = Response(answer(begin(browser=browser)), status=status)
    set_cookie(response, browser)
    return response
