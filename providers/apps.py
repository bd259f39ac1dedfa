from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from connections_project.housekeeping import chore
        from providers.renew import renew_ending_grants
        from providers.sweep import sweep_pending

        chore(sweep_pending)
        chore(renew_ending_grants)
