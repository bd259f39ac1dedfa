"""Accounts and transactions, as the OpenAPI document has them."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from connections_project.api.documentation import (
    PAGE,
    WITH_BODY,
    WRONG_PAGE,
    answer,
    asked,
    endpoint,
)
from connections_project.api.errors import FieldError
from connections_project.api.rate_limits import API_READ, PROVIDER_SYNC
from connections_project.connections.errors import REFRESHING_LATER
from providers.api import serializers as bodies
from providers.api.documentation import samples

ACCOUNT_TAG = ["accounts"]
OF_OWN = ("unauthorized", "forbidden", "not_found")

ACCOUNTS = endpoint(
    "list_accounts",
    tags=ACCOUNT_TAG,
    summary="List accounts",
    description="What the last syncs read, newest first; also after a disconnect, until the "
    "connection is deleted.",
    parameters=[
        OpenApiParameter("connection_id", UUID, description="Only those of this connection."),
        *PAGE,
    ],
    answers={200: answer("A page of accounts.", bodies.AccountPage, page=samples.ACCOUNTS)},
    refusals=OF_OWN,
    details={
        "forbidden": "This connection belongs to somebody else.",
        "not_found": "Connection not found",
    },
    wrong=WRONG_PAGE,
    limit=API_READ,
)
TRANSACTIONS = endpoint(
    "list_transactions",
    tags=ACCOUNT_TAG,
    summary="List an account's transactions",
    description="What the last syncs read, newest first; also after a disconnect.",
    parameters=[
        OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="An account's."),
        *PAGE,
    ],
    answers={
        200: answer("A page of transactions.", bodies.TransactionPage, page=samples.TRANSACTIONS)
    },
    refusals=OF_OWN,
    details={
        "forbidden": "This account belongs to somebody else.",
        "not_found": "The account is unknown.",
    },
    wrong=WRONG_PAGE,
    limit=API_READ,
)
SYNC = endpoint(
    "sync_accounts",
    tags=ACCOUNT_TAG,
    summary="Fetch accounts and recent transactions from the provider",
    description="Done when it answers; the tokens are refreshed first if they have to be. Within "
    "5 minutes of the last sync it is refused, unless forced.",
    request=bodies.SyncRequest,
    examples=[asked(samples.SYNC_REQUEST)],
    answers={201: answer("Synced.", bodies.SyncAnswer, synced=samples.SYNCED)},
    refusals=(*OF_OWN, *WITH_BODY, "provider_error", "provider_unavailable"),
    details={
        "forbidden": "The connection is somebody else's, or not active.",
        "not_found": "Connection not found",
        "provider_error": "The provider did not give the data.",
        "provider_unavailable": "This provider can't be used at the moment.",
        "rate_limit_exceeded": "Too many calls, or synced less than 5 minutes ago.",
        "service_unavailable": REFRESHING_LATER,
    },
    wrong=FieldError("connection_id", "required", "This field is required."),
    limit=PROVIDER_SYNC,
)
