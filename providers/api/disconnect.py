"""`DELETE /api/v1/auth/{id}/disconnect`: the older document's own endpoint, in its own words."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.errors import ApiError, error_of_status
from connections_project.api.rate_limits import Policy
from connections_project.api.views import ApiViewSet
from connections_project.connections import throttling
from connections_project.connections.errors import ConnectionNotFoundError, NotOwnerError
from connections_project.core.parsing import parse_uuid
from connections_project.identity.origins import origin_of
from connections_project.identity.principals import principal_of
from connections_project.platforms.help_link import help_link
from providers.api import documentation
from providers.disconnect import disconnect_own


class DisconnectViewSet(ApiViewSet):
    """Disconnects only, and may be repeated."""

    # The document answers 403 where the others answer 401 (docs/api.md, "Deviations").
    unauthenticated_fault: ClassVar[ApiError | None] = error_of_status(
        403, "Sign in first: the Authorization header is missing or not valid."
    )

    def rate_limit(self, request: Request) -> tuple[Policy, str] | None:
        return throttling.writing(request)

    @documentation.DISCONNECT
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002 - the contract's word.
        try:
            connection = disconnect_own(
                connection_id=parse_uuid(id), user=principal_of(request), origin=origin_of(request)
            )
        except NotOwnerError:
            # Somebody else's does not exist here.
            raise ConnectionNotFoundError from None
        headers = help_link(connection.provider_slug)
        return Response({"message": "Provider disconnected"}, headers=headers)
