"""The audit log as a Django app: its triggers come with every migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit import checks  # noqa: F401 (registers itself once the app is there)
        from audit.models import AuditEvent
        from audit.seal import seal_recent
        from audit.triggers import install_after_migrate
        from connections_project.core.periodic import periodic_task
        from connections_project.core.storable import written_with_answers

        written_with_answers(AuditEvent)
        periodic_task(seal_recent, every=30)
        post_migrate.connect(install_after_migrate, sender=self)
