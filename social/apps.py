"""Teams' accounts at social platforms."""

from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "social"

    def ready(self) -> None:
        from connections_project.connections.registry import register
        from connections_project.core.periodic import periodic_task
        from connections_project.core.storable import written_with_answers
        from social.models import Publication
        from social.publications import forget_old_keys
        from social.registration import CONNECTION_TYPE
        from social.retention import erase_kept_too_long

        register(CONNECTION_TYPE)
        written_with_answers(Publication)
        periodic_task(erase_kept_too_long, every=3600)
        periodic_task(forget_old_keys, every=3600)
