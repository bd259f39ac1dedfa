"""Connections to social channels, one user's each, and what is scheduled on them."""

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "channels"

    def ready(self) -> None:
        from channels.models import PublishEvent, Schedule
        from channels.publish import process_schedules
        from channels.registration import CONNECTION_TYPE
        from channels.retention import forget_old_schedules
        from connections_project.connections.registry import register
        from connections_project.core.periodic import periodic_task
        from connections_project.core.storable import written_with_answers
        from connections_project.identity.groups import allow_operators

        register(CONNECTION_TYPE)
        written_with_answers(PublishEvent, Schedule)
        allow_operators("change_channelconnection", "change_schedule")
        periodic_task(process_schedules, every=5, own_thread=True)
        periodic_task(forget_old_schedules, every=3600)
