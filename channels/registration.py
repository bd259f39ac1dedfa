"""What the service has to know of connections to channels."""

from audit.events import Action
from channels.api.errors import ChannelErrors
from channels.claims import oldest_overdue
from channels.connect import complete
from channels.disconnect import active_schedules, disconnect
from channels.models import ChannelConnection, PublishOutcome, ScheduleStatus, Status
from channels.refresh import RULES
from channels.selectors import scheduled_on, schedules_for_operators
from connections_project.connections.registry import Api, AuditActions, ConnectionType

CONNECTION_TYPE = ConnectionType(
    model=ChannelConnection,
    title="Channels",
    statuses=Status.values,
    actions=AuditActions(
        connected=Action.CHANNEL_CONNECTED,
        connection_failed=Action.CHANNEL_CONNECTION_FAILED,
        token_refresh_failed=Action.CHANNEL_TOKEN_REFRESH_FAILED,
        disconnected=Action.CHANNEL_DISCONNECTED,
        token_refreshed=Action.CHANNEL_TOKEN_REFRESHED,
        deleted=Action.CHANNEL_DELETED,
    ),
    complete=complete,
    refresh_rules=RULES,
    disconnect=disconnect,
    active_schedules=active_schedules,
    oldest_overdue=oldest_overdue,
    inspect=schedules_for_operators,
    scheduled=scheduled_on,
    api=Api(
        urls="channels.api.urls",
        prefixes=("/api/v1/channels", "/api/v1/schedules"),
        errors=ChannelErrors(),
        tags={
            "channels": "Connections to social channels.",
            "schedules": "What is to be published through them, and when.",
        },
        enums={
            "ChannelStatus": Status,
            "ScheduleStatus": ScheduleStatus,
            "PublishOutcome": PublishOutcome,
        },
    ),
)
