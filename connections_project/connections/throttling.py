"""The throttles of the apps' views, alike in all of them."""

from typing import Any

from rest_framework.request import Request

from connections_project.api.rate_limits import (
    API_READ,
    API_WRITE,
    PROVIDER_CONNECT,
    PROVIDER_SYNC,
)
from connections_project.api.throttling import TokenBucketThrottle
from connections_project.connections import flow
from connections_project.identity.principals import principal_of
from connections_project.middleware.trusted_proxies import client_network
from connections_project.oauth.state import StateStoreUnavailable


class PrincipalThrottle(TokenBucketThrottle):
    """Counts for whoever is signed in."""

    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - for those derived.
        return str(principal_of(request).pk)


class ReadThrottle(PrincipalThrottle):
    policy = API_READ


class WriteThrottle(PrincipalThrottle):
    policy = API_WRITE


class ConnectThrottle(PrincipalThrottle):
    policy = PROVIDER_CONNECT


class CallbackThrottle(TokenBucketThrottle):
    """Counts for the state's principal, or for the address where the state is unknown."""

    policy = PROVIDER_CONNECT

    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - as its base.
        try:
            preview = flow.peek(request.query_params.get("state", ""))
        except StateStoreUnavailable:
            preview = None
        return str(preview.principal_id) if preview else client_network(request._request)


class SyncThrottle(PrincipalThrottle):
    """Counts for the principal at the connection's platform; unknown and foreign ids share one.

    The view names its `connection_model`, and by `connection_id()` which one is to be synced.
    """

    policy = PROVIDER_SYNC

    def bucket_key(self, request: Request, view: Any) -> str:
        model, connection_id = view.connection_model, view.connection_id(request)
        # Foreign ids are unknown ones here: a bucket must tell nothing of what is not one's own.
        own = model._default_manager.filter(**{model.owner_column: principal_of(request).pk})
        slugs = own.values_list(model.platform_column, flat=True)
        slug = slugs.filter(pk=connection_id).first() if connection_id else None
        return f"{super().bucket_key(request, view)}:{slug or ''}"
