from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "channels"

    def ready(self) -> None:
        from channels.publish import work_off
        from channels.renew import renew_ending_grants
        from connections_project.housekeeping import chore

        chore(work_off, every=5)
        chore(renew_ending_grants)
