"""What the service has to know of teams' social accounts."""

from audit.events import Action
from connections_project.connections.registry import Api, AuditActions, ConnectionType
from social.api.errors import SocialErrors
from social.connect import complete, flow_details
from social.disconnect import disconnect
from social.models import SocialAccount, Status
from social.refresh import RULES

CONNECTION_TYPE = ConnectionType(
    model=SocialAccount,
    title="Social accounts",
    statuses=Status.values,
    actions=AuditActions(
        connected=Action.ACCOUNT_CONNECTED,
        connection_failed=Action.ACCOUNT_CONNECTION_FAILED,
        token_refresh_failed=Action.ACCOUNT_TOKEN_REFRESH_FAILED,
        disconnected=Action.ACCOUNT_DISCONNECTED,
        tokens_erased=Action.ACCOUNT_TOKENS_ERASED,
        token_refreshed=Action.ACCOUNT_TOKEN_REFRESHED,
    ),
    complete=complete,
    flow_details=flow_details,
    refresh_rules=RULES,
    disconnect=disconnect,
    operator_fields=("is_active",),
    api=Api(
        urls="social.api.urls",
        prefixes=("/api/v1/plugin/social-media-publisher/social",),
        errors=SocialErrors(),
        tags={"social": "Teams' accounts at social platforms."},
    ),
)
