from django.apps import AppConfig


class PlatformsConfig(AppConfig):
    name = "connections_project.platforms"
    label = "platforms"

    def ready(self) -> None:
        from connections_project.platforms import checks  # noqa: F401
