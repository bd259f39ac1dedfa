"""The pages for people: their connections of all apps, by sign-in or by a link."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "connections_project.pages"
    label = "pages"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from connections_project.connections.attention import listen_to_attention
        from connections_project.core.periodic import periodic_task
        from connections_project.pages.emails import note_attention, send_due
        from connections_project.pages.sessions import forget_ended_sessions
        from connections_project.pages.visitor import leave_link

        user_logged_in.connect(leave_link)
        listen_to_attention(note_attention)
        periodic_task(send_due, every=10, own_thread=True)
        periodic_task(forget_ended_sessions, every=3600)
