from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from connections_project.housekeeping import chore  # noqa: PLC0415
        from providers.sweep import sweep_pending  # noqa: PLC0415

        chore(sweep_pending)
