"""The words of the audit log. Stored as they stand here, so a value is never changed."""

# ruff: noqa: S105 (These name events of tokens; none of them is one.)

from enum import StrEnum


class Action(StrEnum):
    """What was done, each app in the words of its own contract."""

    PROVIDER_CONNECTED = "provider_connected"
    PROVIDER_CONNECTION_FAILED = "provider_connection_failed"
    PROVIDER_DISCONNECTED = "provider_disconnected"
    PROVIDER_DELETED = "provider_deleted"
    PROVIDER_TOKEN_REFRESHED = "provider_token_refreshed"
    PROVIDER_TOKEN_REFRESH_FAILED = "provider_token_refresh_failed"
    PROVIDER_DATA_SYNCED = "provider_data_synced"
    PROVIDER_UPDATED = "provider_updated"

    CHANNEL_CONNECTED = "CHANNEL_CONNECTED"
    CHANNEL_CONNECTION_FAILED = "CHANNEL_CONNECTION_FAILED"
    CHANNEL_DISCONNECTED = "CHANNEL_DISCONNECTED"
    CHANNEL_DELETED = "CHANNEL_DELETED"
    CHANNEL_RESTORED = "CHANNEL_RESTORED"
    CHANNEL_TOKEN_REFRESHED = "CHANNEL_TOKEN_REFRESHED"
    CHANNEL_TOKEN_REFRESH_FAILED = "CHANNEL_TOKEN_REFRESH_FAILED"
    SCHEDULE_CREATED = "SCHEDULE_CREATED"
    SCHEDULES_CANCELLED = "SCHEDULES_CANCELLED"
    SCHEDULE_PUBLISHED = "SCHEDULE_PUBLISHED"
    SCHEDULE_PUT_OFF = "SCHEDULE_PUT_OFF"
    SCHEDULE_FAILED = "SCHEDULE_FAILED"

    ACCOUNT_CONNECTED = "account_connected"
    ACCOUNT_CONNECTION_FAILED = "account_connection_failed"
    ACCOUNT_DISCONNECTED = "account_disconnected"
    ACCOUNT_TOKENS_ERASED = "account_tokens_erased"
    ACCOUNT_TOKEN_REFRESHED = "account_token_refreshed"
    ACCOUNT_TOKEN_REFRESH_FAILED = "account_token_refresh_failed"
    ACCOUNT_PUBLISHED = "account_published"

    TOKEN_REVOKED = "token_revoked"
    TOKEN_REVOCATION_FAILED = "token_revocation_failed"
    TOKEN_REVOCATION_ABANDONED = "token_revocation_abandoned"
    TOKEN_REVOCATION_SKIPPED = "token_revocation_skipped"
    EXTRAS_REVOKED = "extras_revoked"
    EXTRAS_REVOCATION_FAILED = "extras_revocation_failed"
    EXTRAS_REVOCATION_ABANDONED = "extras_revocation_abandoned"
    CONNECTION_DEAUTHORIZED = "connection_deauthorized"
    CONNECTION_GRANT_ENDING = "connection_grant_ending"
    TOKEN_REVOCATION_RETRIED = "token_revocation_retried"
    CONNECTION_FORCE_DISCONNECTED = "connection_force_disconnected"
    CONNECTION_DISCONNECT_REPLAYED = "connection_disconnect_replayed"
    LOGIN_FAILED = "login_failed"
    OPERATOR_SIGNED_IN = "operator_signed_in"
    OPERATOR_CREATED = "operator_created"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODE_USED = "recovery_code_used"
    USER_CHANGED = "user_changed"
    TEAM_CHANGED = "team_changed"
    GROUP_CHANGED = "group_changed"
    USER_PROVISIONED = "user_provisioned"
    USER_DEACTIVATED = "user_deactivated"
    USER_REACTIVATED = "user_reactivated"
    USER_FORGOTTEN = "user_forgotten"
    SESSIONS_ENDED = "sessions_ended"
    SCIM_TOKEN_CREATED = "scim_token_created"
    SCIM_TOKEN_REVOKED = "scim_token_revoked"
    API_KEY_CREATED = "api_key_created"
    API_KEY_REVOKED = "api_key_revoked"
    PLATFORM_SUSPENDED = "platform_suspended"
    PLATFORM_RESUMED = "platform_resumed"
    BREACH_DRILL_STARTED = "breach_drill_started"
    BREACH_DRILL_FINISHED = "breach_drill_finished"
    AUDIT_EXPORTED = "audit_exported"
    LIST_EXPORTED = "list_exported"
    AUDIT_ARCHIVED = "audit_archived"
    EVENT_ENDPOINT_CREATED = "event_endpoint_created"
    EVENT_ENDPOINT_DISABLED = "event_endpoint_disabled"
    EVENT_ENDPOINT_ENABLED = "event_endpoint_enabled"
    EVENT_SECRET_ROTATED = "event_secret_rotated"
    EVENT_DELIVERY_RESENT = "event_delivery_resent"
    EVENTS_REPLAYED = "events_replayed"
    CONNECT_SESSION_CREATED = "connect_session_created"
    CONNECT_SESSION_OPENED = "connect_session_opened"


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"


class ActorType(StrEnum):
    """Who did it."""

    USER = "user"
    SERVICE = "service"
    OPERATOR = "operator"
    SYSTEM = "system"
    PLATFORM = "platform"


class Interface(StrEnum):
    """The entry point through which it was done."""

    API = "api"
    ADMIN = "admin"
    COMMAND = "command"
    WORKER = "worker"
    WEBHOOK = "webhook"
    PAGE = "page"
    SCIM = "scim"
