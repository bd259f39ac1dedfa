"""`/api/v1/accounts`: what was read through a connection, also after it has ended."""

from uuid import UUID

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.errors import ApiException
from connections_project.api.pagination import paginate
from connections_project.api.rate_limits import Policy
from connections_project.api.serializers import serialize_rows
from connections_project.api.validation import validated
from connections_project.api.views import ApiViewSet
from connections_project.connections import throttling
from connections_project.core.parsing import parse_uuid
from connections_project.identity.origins import origin_of
from connections_project.identity.principals import principal_of
from providers import sync
from providers.api import documentation
from providers.api import serializers as bodies
from providers.models import Connection
from providers.selectors import own_account, own_accounts


class AccountViewSet(ApiViewSet):
    """Accounts and transactions."""

    # What was wrong with the body when the bucket was chosen: it is told after the draw.
    _unreadable: Exception | None = None

    def rate_limit(self, request: Request) -> tuple[Policy, str] | None:
        if self.action != "syncs":
            return throttling.reading(request)
        return throttling.syncing(request, Connection, self._wanted(request))

    @documentation.ACCOUNTS
    def list(self, request: Request) -> Response:
        wanted = request.query_params.get("connection_id")
        rows, pagination = paginate(
            own_accounts(principal_of(request).pk, connection=wanted), request
        )
        return Response(
            {"data": serialize_rows(bodies.AccountAnswer, rows), "pagination": pagination}
        )

    @documentation.TRANSACTIONS
    def transactions(self, request: Request, id: str) -> Response:  # noqa: A002 - the contract's word.
        account = own_account(parse_uuid(id), user_id=principal_of(request).pk)
        movements = account.transactions.order_by("-posted_at", "-id")
        rows, pagination = paginate(movements, request)
        return Response(
            {"data": serialize_rows(bodies.TransactionAnswer, rows), "pagination": pagination}
        )

    @documentation.SYNC
    def syncs(self, request: Request) -> Response:
        if self._unreadable:
            raise self._unreadable
        body = validated(bodies.SyncRequest, request)
        tally = sync.sync_own(
            connection_id=parse_uuid(body["connection_id"]),
            user=principal_of(request),
            force=body["force"],
            origin=origin_of(request),
        )
        return Response(bodies.sync_answer(tally), status=201)

    def _wanted(self, request: Request) -> UUID | None:
        """Look for the connection in a body that is not validated yet, or may not be JSON."""
        try:
            body = request.data
        except (ApiException, APIException) as error:
            # DRF would give an empty body at the second look.
            self._unreadable = error
            return None
        wanted = body.get("connection_id") if isinstance(body, dict) else None
        return parse_uuid(wanted) if isinstance(wanted, str) else None
