"""The throttles of the apps' views, alike in all of them."""

from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from connections_project.api.rate_limits import KEY_CONNECT, PROVIDER_CONNECT, PROVIDER_SYNC, Policy
from connections_project.api.throttling import TokenBucketThrottle
from connections_project.connections import flow
from connections_project.connections.flow import FlowPreview
from connections_project.identity.models import ApiKey, PrincipalType, User
from connections_project.identity.principals import principal_of
from connections_project.identity.throttling import PrincipalThrottle
from connections_project.identity.throttling import ReadThrottle as ReadThrottle
from connections_project.identity.throttling import WriteThrottle as WriteThrottle
from connections_project.middleware.trusted_proxies import client_network
from connections_project.oauth.state import StateStoreUnavailable


def connect_policy(principal_type: str) -> Policy:
    """Return the policy of connecting: programs act for a whole application, people for one."""
    return KEY_CONNECT if principal_type == PrincipalType.SERVICE else PROVIDER_CONNECT


class ConnectThrottle(TokenBucketThrottle):
    """Counts for whoever starts a flow: a user, a service account, or a team's key."""

    policy = PROVIDER_CONNECT

    def policy_of(self, request: Request, view: Any) -> Policy:  # noqa: ARG002 - as its base.
        return connect_policy(_caller(request).principal_type)

    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - as its base.
        return str(_caller(request).pk)


def _caller(request: Request) -> User | ApiKey:
    caller: object = request.user
    if not isinstance(caller, User | ApiKey):
        raise NotAuthenticated
    return caller


class CallbackThrottle(TokenBucketThrottle):
    """Counts for the state's principal, or for the address where the state is unknown."""

    policy = PROVIDER_CONNECT
    _preview: FlowPreview | None = None

    def policy_of(self, request: Request, view: Any) -> Policy:  # noqa: ARG002 - as its base.
        return connect_policy(self._preview.principal_type) if self._preview else self.policy

    def bucket_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - as its base.
        try:
            self._preview = flow.peek(request.query_params.get("state", ""))
        except StateStoreUnavailable:
            self._preview = None
        return callback_bucket(request._request, self._preview)


def callback_bucket(request: HttpRequest, preview: FlowPreview | None) -> str:
    """Return whose bucket a callback draws on."""
    return str(preview.principal_id) if preview else client_network(request)


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
