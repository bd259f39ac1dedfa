"""What the OpenAPI document says of this app's endpoints."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema

from connections_project.http.documentation import PAGE, problems
from providers.api import serializers as bodies

PROVIDERS, ACCOUNT_TAG = ["providers"], ["accounts"]
ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH)

LIST = extend_schema(
    tags=PROVIDERS,
    summary="List connections",
    parameters=[OpenApiParameter("active_only", bool)],
    responses={200: bodies.ConnectionListAnswer, **problems(400, 401, 429)},
)
CONNECT = extend_schema(
    tags=PROVIDERS,
    summary="Start connecting a provider",
    request=bodies.ConnectRequest,
    responses={201: bodies.ConnectAnswer, **problems(400, 401, 403, 404, 413, 415, 429, 503)},
)
CALLBACK = extend_schema(
    tags=PROVIDERS,
    summary="Complete a connection with what the provider sent back",
    description="The state is the proof; a Bearer that is sent must be the state's principal.",
    request=None,
    parameters=[
        OpenApiParameter("code", str),
        OpenApiParameter("state", str, required=True),
        OpenApiParameter("error", str, description="RFC 6749, section 4.1.2.1"),
        OpenApiParameter("iss", str, description="RFC 9207"),
    ],
    responses={201: bodies.ConnectionAnswer, **problems(400, 401, 404, 429, 502, 503)},
)
GET = extend_schema(
    tags=PROVIDERS,
    summary="Get a connection",
    parameters=[ID],
    responses={200: bodies.ConnectionAnswer, **problems(401, 403, 404, 429)},
)
RENAME = extend_schema(
    tags=PROVIDERS,
    summary="Change a connection's alias",
    parameters=[ID],
    request=bodies.RenameRequest,
    responses={200: bodies.ConnectionAnswer, **problems(400, 401, 403, 404, 413, 415, 429)},
)
DISCONNECT_OR_DELETE = extend_schema(
    tags=PROVIDERS,
    summary="Disconnect; or delete from sight what is disconnected already",
    parameters=[ID],
    responses={204: None, **problems(401, 403, 404, 429)},
)
DISCONNECT = extend_schema(
    tags=PROVIDERS,
    summary="Disconnect; may be repeated",
    parameters=[ID],
    responses={200: bodies.DisconnectAnswer, **problems(403, 404, 429)},
)
REFRESH = extend_schema(
    tags=PROVIDERS,
    summary="Refresh the provider's tokens",
    parameters=[ID],
    request=bodies.RefreshRequest,
    responses={
        201: bodies.RefreshAnswer,
        **problems(400, 401, 403, 404, 413, 415, 429, 502, 503),
    },
)
ACCOUNTS = extend_schema(
    tags=ACCOUNT_TAG,
    summary="List accounts",
    parameters=[OpenApiParameter("connection_id", UUID), *PAGE],
    responses={200: bodies.AccountPage, **problems(400, 401, 403, 404, 429)},
)
TRANSACTIONS = extend_schema(
    tags=ACCOUNT_TAG,
    summary="List an account's transactions",
    parameters=[ID, *PAGE],
    responses={200: bodies.TransactionPage, **problems(400, 401, 403, 404, 429)},
)
SYNC = extend_schema(
    tags=ACCOUNT_TAG,
    summary="Fetch accounts and recent transactions",
    request=bodies.SyncRequest,
    responses={201: bodies.SyncAnswer, **problems(400, 401, 403, 404, 413, 415, 429, 502, 503)},
)
