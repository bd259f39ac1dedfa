from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "connections_project.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from connections_project.housekeeping import chore
        from connections_project.webhooks.notices import forget_old_notices

        chore(forget_old_notices, every=3600)
