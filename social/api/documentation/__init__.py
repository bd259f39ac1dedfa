"""What the OpenAPI document says of this app's endpoints: a decorator for each."""

from social.api.documentation.endpoints import (
    ACCOUNTS,
    CALLBACK,
    CONNECT,
    DISCONNECT,
    DISCONNECT_BY_PATH,
    PUBLISH,
)

__all__ = ["ACCOUNTS", "CALLBACK", "CONNECT", "DISCONNECT", "DISCONNECT_BY_PATH", "PUBLISH"]
