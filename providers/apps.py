"""Connections to financial providers, one user's each."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from connections_project.connections.registry import register
        from connections_project.core.periodic import periodic_task
        from providers.registration import CONNECTION_TYPE
        from providers.sweep import sweep_pending

        register(CONNECTION_TYPE)
        periodic_task(sweep_pending)
