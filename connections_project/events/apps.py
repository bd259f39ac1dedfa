"""What the host application is told of every change, by signed deliveries and by a feed."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "connections_project.events"
    label = "events"

    def ready(self) -> None:
        from django.contrib.auth.models import Group
        from django.db.models.signals import m2m_changed

        from audit.record import listen
        from connections_project.core.periodic import periodic_task
        from connections_project.core.storable import written_with_answers
        from connections_project.events.announce import announce
        from connections_project.events.audience import expect_a_reader
        from connections_project.events.models import Delivery, OutgoingEvent
        from connections_project.events.sweep import forget_old_events
        from connections_project.events.worker import process_deliveries
        from connections_project.identity.groups import allow_operators
        from connections_project.identity.models import User

        listen(announce)
        for holder in (User.user_permissions, Group.permissions):
            m2m_changed.connect(expect_a_reader, sender=holder.through)
        allow_operators("add_endpoint", "change_endpoint", "change_delivery")
        written_with_answers(OutgoingEvent, Delivery)
        periodic_task(process_deliveries, every=5, own_thread=True)
        periodic_task(forget_old_events, every=3600)
