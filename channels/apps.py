from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "channels"

    def ready(self) -> None:
        from channels.publish import process_due
        from channels.renewal import renew_ending_grants
        from connections_project.core.periodic import periodic_task

        periodic_task(process_due, every=5)
        periodic_task(renew_ending_grants)
