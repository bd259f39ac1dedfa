"""Teams' accounts at social platforms."""

from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "social"

    def ready(self) -> None:
        from audit.events import Action
        from connections_project.connections.registry import (
            Api,
            AuditActions,
            ConnectionType,
            register,
        )
        from connections_project.core.periodic import periodic_task
        from social.api.errors import SocialErrors
        from social.connect import complete, flow_details
        from social.disconnect import disconnect
        from social.models import SocialAccount, Status
        from social.publications import forget_old_keys
        from social.refresh import RULES
        from social.retention import erase_kept_too_long

        register(
            ConnectionType(
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
        )
        periodic_task(erase_kept_too_long, every=3600)
        periodic_task(forget_old_keys, every=3600)
