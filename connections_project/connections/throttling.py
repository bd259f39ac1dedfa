"""Which bucket a request draws on, alike in all apps (docs/api.md, "Rate limits")."""

from uuid import UUID

from rest_framework.request import Request

from connections_project.api.rate_limits import (
    API_READ,
    API_WRITE,
    PROVIDER_CONNECT,
    PROVIDER_SYNC,
    Policy,
)
from connections_project.connections import flow
from connections_project.connections.models import OAuthConnection
from connections_project.identity.principals import principal_of
from connections_project.middleware.trusted_proxies import client_address
from connections_project.oauth.state import StateStoreUnavailable

Limit = tuple[Policy, str]


def reading(request: Request) -> Limit:
    return API_READ, str(principal_of(request).pk)


def writing(request: Request) -> Limit:
    return API_WRITE, str(principal_of(request).pk)


def connecting(request: Request) -> Limit:
    return PROVIDER_CONNECT, str(principal_of(request).pk)


def calling_back(request: Request) -> Limit:
    """Count a callback for the state's principal, or for the address where the state is unknown."""
    try:
        preview = flow.peek(request.query_params.get("state", ""))
    except StateStoreUnavailable:
        preview = None
    key = str(preview.principal_id) if preview else client_address(request._request)
    return PROVIDER_CONNECT, key


def syncing(request: Request, model: type[OAuthConnection], connection_id: UUID | None) -> Limit:
    """Count for the principal at the connection's platform; unknown ids share one bucket."""
    slugs = model._default_manager.values_list(model.platform_column, flat=True)
    slug = slugs.filter(pk=connection_id).first() if connection_id else None
    return PROVIDER_SYNC, f"{principal_of(request).pk}:{slug or ''}"
