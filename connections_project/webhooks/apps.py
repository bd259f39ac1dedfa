"""Notices of platforms and identity providers."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "connections_project.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from connections_project.api.error_routing import register
        from connections_project.core.periodic import periodic_task
        from connections_project.webhooks.erasures import forget_whose_grants_ended
        from connections_project.webhooks.errors import SecurityEventErrors, WebhookErrors
        from connections_project.webhooks.notices import forget_old_notices
        from connections_project.webhooks.sender import webhook_senders

        register("/api/v1/webhooks", WebhookErrors())
        for sender in webhook_senders():
            for path in sender.actions:
                register(f"/api/v1/webhooks/{path}", sender.errors)
        register("/api/v1/webhooks/security-events", SecurityEventErrors())
        periodic_task(forget_old_notices, every=3600)
        periodic_task(forget_whose_grants_ended, every=3600)
