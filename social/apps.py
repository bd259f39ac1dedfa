from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "social"

    def ready(self) -> None:
        from connections_project.housekeeping import chore
        from social.retention import erase_kept_too_long

        chore(erase_kept_too_long)
