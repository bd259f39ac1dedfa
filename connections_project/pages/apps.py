"""The pages for people: their connections of all apps, by sign-in or by a link."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "connections_project.pages"
    label = "pages"

    def ready(self) -> None:
        from connections_project.core.periodic import periodic_task
        from connections_project.pages.sessions import forget_ended_sessions

        periodic_task(forget_ended_sessions, every=3600)
