from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "social"

    def ready(self) -> None:
        from connections_project.housekeeping import chore
        from social.publications import forget_old_keys
        from social.renew import renew_ending_grants
        from social.retention import erase_kept_too_long

        chore(erase_kept_too_long, every=3600)
        chore(forget_old_keys, every=3600)
        chore(renew_ending_grants)
