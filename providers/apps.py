from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from connections_project.core.periodic import periodic_task
        from providers.renewal import renew_ending_grants
        from providers.sweep import sweep_pending

        periodic_task(sweep_pending)
        periodic_task(renew_ending_grants)
