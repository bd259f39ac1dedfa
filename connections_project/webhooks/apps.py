from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "connections_project.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from connections_project.core.periodic import periodic_task
        from connections_project.webhooks.notices import forget_old_notices

        periodic_task(forget_old_notices, every=3600)
