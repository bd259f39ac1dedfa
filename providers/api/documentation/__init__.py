"""What the OpenAPI document says of this app's endpoints: a decorator for each."""

from providers.api.documentation.accounts import ACCOUNTS, SYNC, TRANSACTIONS
from providers.api.documentation.connections import (
    CALLBACK,
    CONNECT,
    DISCONNECT,
    DISCONNECT_OR_DELETE,
    GET,
    LIST,
    REFRESH,
    RENAME,
)

__all__ = [
    "ACCOUNTS",
    "CALLBACK",
    "CONNECT",
    "DISCONNECT",
    "DISCONNECT_OR_DELETE",
    "GET",
    "LIST",
    "REFRESH",
    "RENAME",
    "SYNC",
    "TRANSACTIONS",
]
