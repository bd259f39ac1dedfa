"""`/api/v1/global-token-revocation`: an identity provider has all ended that a user has here
(draft-parecki-oauth-global-token-revocation, which Okta's Universal Logout calls)."""

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.errors import invalid_field
from connections_project.api.views import ApiViewSet
from connections_project.core import clock
from connections_project.identity import sessions
from connections_project.identity.models import User
from connections_project.identity.subject_identifiers import UnknownIdentifierError, people_named
from connections_project.operations.offboarding_worker import begin_ending_connections
from connections_project.scim.authentication import (
    ScimThrottle,
    ScimTokenAuthentication,
    scim_origin,
    token_of,
)

REASON = "global token revocation"


@extend_schema(exclude=True)
class GlobalRevocationViewSet(ApiViewSet):
    """It is for identity providers, which know its form: the API's document leaves it out."""

    authentication_classes = (ScimTokenAuthentication,)
    throttle_classes = (ScimThrottle,)

    def revoke(self, request: Request) -> Response:
        origin = scim_origin(request)
        with transaction.atomic():
            for user in _named(request):
                sessions.end_all(user, until=clock.now(), origin=origin, reason=REASON)
                begin_ending_connections(user, reason=REASON, origin=origin)
        return Response(status=204)


def _named(request: Request) -> list[User]:
    """Return whom the body names.

    Raises:
        ApiException: 400, it names nobody in a way that is known here.
        Http404: Nobody is known by that.
    """
    try:
        named = dict(request.data).get("sub_id")
        people = list(people_named(token_of(request).issuer, named))
    except UnknownIdentifierError:
        message = "Give an identifier of format iss_sub or email (RFC 9493)."
        raise invalid_field("sub_id", code="invalid", message=message) from None
    if not people:
        raise Http404
    return people
