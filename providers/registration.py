"""What the service has to know of connections to financial providers."""

from audit.events import Action
from connections_project.connections.registry import Api, AuditActions, ConnectionType
from providers.api.errors import ProviderErrors
from providers.connect import complete, flow_details
from providers.disconnect import disconnect
from providers.models import Connection, Status
from providers.refresh import RULES

CONNECTION_TYPE = ConnectionType(
    model=Connection,
    title="Providers",
    statuses=Status.values,
    actions=AuditActions(
        connected=Action.PROVIDER_CONNECTED,
        connection_failed=Action.PROVIDER_CONNECTION_FAILED,
        token_refresh_failed=Action.PROVIDER_TOKEN_REFRESH_FAILED,
        disconnected=Action.PROVIDER_DISCONNECTED,
        token_refreshed=Action.PROVIDER_TOKEN_REFRESHED,
        deleted=Action.PROVIDER_DELETED,
    ),
    complete=complete,
    flow_details=flow_details,
    refresh_rules=RULES,
    disconnect=disconnect,
    operator_fields=("alias", "last_sync_at"),
    api=Api(
        urls="providers.api.urls",
        prefixes=("/api/v1/providers", "/api/v1/accounts", "/api/v1/auth"),
        errors=ProviderErrors(),
        tags={
            "providers": "Connections to financial providers.",
            "accounts": "What was read through them, also when they are over.",
        },
        enums={"ConnectionStatus": Status},
    ),
)
