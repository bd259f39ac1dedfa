"""`GET /api/v1/receipts/{connection_id}`: proof of a disconnect, for the connection's owner."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.documentation import answer, endpoint
from connections_project.api.errors import ApiError, error_of_status
from connections_project.api.problems import ProblemRenderer
from connections_project.api.rate_limits import API_READ
from connections_project.api.views import ApiViewSet
from connections_project.connections.errors import ConnectionNotFoundError, NotOwnerError
from connections_project.connections.throttling import ReadThrottle
from connections_project.core.parsing import parse_uuid
from connections_project.identity.principals import principal_of
from connections_project.receipts.facts import NotDisconnectedError
from connections_project.receipts.issue import issue_own

NOT_OVER = "There is no receipt: this connection is not disconnected, or it does not exist."
NOT_YOURS = "This belongs to somebody else."
DESCRIPTION = """
For the owner of a connection of any app, for members of the team that owns it, and also after it
was deleted: a JSON Web Signature (RFC 7515, `EdDSA`) over what is known at that time. Each call
issues a new one. The key is at `/.well-known/jwks.json`, under the `kid` of the header; keys of
earlier receipts stay there.

| claim | says |
| --- | --- |
| `iss`, `iat` | this service, and as of when (seconds since 1970) |
| `connection_id`, `app`, `platform` | what was disconnected |
| `disconnected_at` | when |
| `actor`, `interface` | by whom: `user`, `service`, `operator`, `system` or `platform`; through which interface: `api`, `admin`, `command`, `worker`, `webhook`, `page` or `scim` |
| `erased` | what is gone here: `credentials`, `profile`; empty while tokens are kept |
| `revocation.state` | at the platform: `revoked`, `pending`, `abandoned` after 24 h, `not_supported`, `shared_grant` (another connection lives on the same grant) or `not_requested` |
| `revocation.verification` | whether a token that was revoked has been tried since: `verified_dead` (it was refused), `still_alive` (it was let in, so that the revocation counts as failed) or `unverifiable` (the platform can't tell) |
| `revocation.attempts`, `.last_error`, `.finished_at` | how often it was tried, what the last try failed with, when it was finished |
| `unreadable` | only where there are any: ids of events of the audit log about it that can't be read, of which the receipt says nothing |
"""  # noqa: E501 (A row of a table is a line.)


class ReceiptAnswer(serializers.Serializer[dict[str, str]]):
    receipt = serializers.CharField(help_text="A compact JWS (RFC 7515, section 7.1).")


DOCUMENTATION = endpoint(
    "get_receipt",
    tags=["receipts"],
    summary="Get a receipt for a disconnect",
    description=DESCRIPTION.strip(),
    parameters=[
        OpenApiParameter(
            "connection_id", UUID, OpenApiParameter.PATH, description="A connection's, of any app."
        )
    ],
    answers={
        200: answer(
            "The receipt.",
            ReceiptAnswer,
            one={"receipt": "eyJhbGciOiJFZERTQSIsImtpZCI6ImtQcksifQ.eyJhcHAiOiJwcm92aWRlcnMifQ.…"},
        )
    },
    refusals=("unauthorized", "forbidden", "not_found"),
    details={"forbidden": NOT_YOURS, "not_found": NOT_OVER},
    limit=API_READ,
)


class ReceiptViewSet(ApiViewSet):
    """Receipts, made when they are asked for."""

    throttle_classes = (ReadThrottle,)

    @DOCUMENTATION
    def retrieve(self, request: Request, connection_id: str) -> Response:
        receipt = issue_own(connection_id=parse_uuid(connection_id), user=principal_of(request))
        return Response({"receipt": receipt})


class ReceiptErrors(ProblemRenderer):
    """The errors of receipts. What is unknown and what is not over look alike."""

    def translate(self, exc: Exception) -> ApiError | None:
        match exc:
            case NotOwnerError():
                return error_of_status(403, NOT_YOURS)
            case ConnectionNotFoundError() | NotDisconnectedError():
                return error_of_status(404, NOT_OVER)
        return None
