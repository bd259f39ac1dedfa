"""`/api/v1/providers` and `/api/v1/accounts`: read the request, call a verb, render its result."""

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.errors import ApiError, ApiException, error_of_status, invalid_field
from connections_project.api.fields import NO_IDENTIFIER
from connections_project.api.serializers import flag, serialize_rows, validated
from connections_project.api.views import ApiViewSet
from connections_project.connections import throttling
from connections_project.connections.callback import state_and_answer
from connections_project.connections.errors import ConnectionNotFoundError, NotOwnerError
from connections_project.connections.serializers import RefreshRequest, connect_answer
from connections_project.connections.viewsets import UserConnectionViewSet, started
from connections_project.core.parsing import parse_uuid, render_datetime
from connections_project.identity.origins import origin_of
from connections_project.identity.principals import principal_of, signed_in
from connections_project.platforms.help_link import help_link
from providers import connect, disconnect, refresh, sync, update
from providers.api import serializers as bodies
from providers.api.documentation import accounts as account_documentation
from providers.api.documentation import connections as documentation
from providers.models import Connection
from providers.selectors import own_account, own_accounts, own_connection, own_connections


class ConnectionViewSet(UserConnectionViewSet):
    """A user's connections to financial providers."""

    connection_model = Connection
    action_throttles: ClassVar = {
        "list": throttling.ReadThrottle,
        "retrieve": throttling.ReadThrottle,
        "create": throttling.ConnectThrottle,
        "callback": throttling.CallbackThrottle,
        "token_refreshes": throttling.SyncThrottle,
    }

    @documentation.LIST
    def list(self, request: Request) -> Response:
        only_active = flag(request, "active_only")
        rows = own_connections(principal_of(request).pk)
        active = [row for row in rows if row.is_connected]
        return Response(
            {
                "connections": serialize_rows(
                    bodies.ConnectionAnswer, active if only_active else rows
                ),
                "total_count": len(rows),
                "active_count": len(active),
            }
        )

    @documentation.CONNECT
    def create(self, request: Request) -> Response:
        body = validated(bodies.ConnectRequest, request)
        begin = partial(
            connect.begin,
            slug=body["provider_slug"],
            alias=body["alias"],
            redirect_uri=body["redirect_uri"],
            reauthorise=body["connection_id"] and parse_uuid(body["connection_id"]),
            user=principal_of(request),
        )
        return started(request, begin, connect_answer)

    @documentation.CALLBACK
    def callback(self, request: Request) -> Response:
        state, answer = state_and_answer(request)
        connection = connect.complete(
            state=state, answer=answer, caller=signed_in(request), origin=origin_of(request)
        )
        return Response(bodies.ConnectionAnswer(connection).data, status=201)

    @documentation.GET
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's own word.
        connection = own_connection(parse_uuid(id), user_id=principal_of(request).pk)
        return Response(bodies.ConnectionAnswer(connection).data)

    @documentation.RENAME
    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002
        # Whose it is comes first: an outsider learns nothing from the checks of a body.
        own_connection(parse_uuid(id), user_id=principal_of(request).pk)
        connection = update.rename_own(
            connection_id=parse_uuid(id),
            user=principal_of(request),
            alias=validated(bodies.RenameRequest, request)["alias"],
            origin=origin_of(request),
        )
        return Response(bodies.ConnectionAnswer(connection).data)

    @documentation.DISCONNECT_OR_DELETE
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002
        connection = disconnect.disconnect_or_delete(
            connection_id=parse_uuid(id), user=principal_of(request), origin=origin_of(request)
        )
        return Response(status=204, headers=help_link(connection.provider_slug))

    @documentation.REFRESH
    def token_refreshes(self, request: Request, id: str) -> Response:  # noqa: A002
        connection, is_new = refresh.refresh_own(
            connection_id=parse_uuid(id),
            user=principal_of(request),
            force=validated(RefreshRequest, request)["force"],
            origin=origin_of(request),
        )
        ends = connection.token_expires_at
        answer: dict[str, Any] = {
            "success": True,
            "message": "Token refreshed" if is_new else "Token still valid",
            "expires_at": render_datetime(ends) if ends else None,
        }
        return Response(answer, status=201)


class DisconnectViewSet(ApiViewSet):
    """Disconnects only, and may be repeated."""

    throttle_classes = (throttling.WriteThrottle,)
    # The document answers 403 where the others answer 401 (docs/api.md, "Deviations").
    unauthenticated_error: ClassVar[ApiError | None] = error_of_status(
        403, "Sign in first: the Authorization header is missing or not valid."
    )

    @documentation.DISCONNECT
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's own word.
        try:
            connection = disconnect.disconnect_own(
                connection_id=parse_uuid(id), user=principal_of(request), origin=origin_of(request)
            )
        except NotOwnerError:
            # Somebody else's does not exist here.
            raise ConnectionNotFoundError from None
        headers = help_link(connection.provider_slug)
        return Response({"message": "Provider disconnected"}, headers=headers)


class AccountViewSet(ApiViewSet):
    """Accounts and transactions."""

    connection_model = Connection
    throttle_classes = (throttling.ReadThrottle,)
    action_throttles: ClassVar = {"syncs": throttling.SyncThrottle}
    # What was wrong with the body when the throttle looked at it; it is raised after that.
    _unreadable: Exception | None = None

    @account_documentation.ACCOUNTS
    def list(self, request: Request) -> Response:
        wanted = _wanted_connection(request)
        found = own_accounts(principal_of(request).pk, connection_id=wanted)
        return self.paginated(bodies.AccountAnswer, found)

    @account_documentation.TRANSACTIONS
    def transactions(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's own word.
        account = own_account(parse_uuid(id), user_id=principal_of(request).pk)
        found = account.transactions.order_by("-posted_at", "-id")
        return self.paginated(bodies.TransactionAnswer, found)

    @account_documentation.SYNC
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

    def connection_id(self, request: Request) -> UUID | None:
        """Return the connection's id from a body that is not validated yet, or may not be JSON."""
        try:
            body = request.data
        except (ApiException, APIException) as error:
            # DRF would give an empty body at the second look.
            self._unreadable = error
            return None
        wanted = body.get("connection_id") if isinstance(body, dict) else None
        return parse_uuid(wanted) if isinstance(wanted, str) else None


def _wanted_connection(request: Request) -> UUID | None:
    text = request.query_params.get("connection_id")
    wanted = parse_uuid(text) if text is not None else None
    if text is not None and wanted is None:
        raise invalid_field("connection_id", code="invalid", message=NO_IDENTIFIER)
    return wanted
