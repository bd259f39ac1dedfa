"""Figures of the service, for Prometheus and the dashboard."""

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "connections_project.metrics"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from connections_project.core.periodic import periodic_task
        from connections_project.metrics.counters import install_after_migrate
        from connections_project.metrics.outbound import count_call
        from connections_project.metrics.tables import refresh
        from connections_project.oauth.observers import observe_calls

        observe_calls(count_call)
        post_migrate.connect(install_after_migrate, sender=self)
        # More often than it counts, so that a count is never late by a whole minute.
        periodic_task(refresh, every=15)
