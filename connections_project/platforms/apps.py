from django.apps import AppConfig


class PlatformsConfig(AppConfig):
    name = "connections_project.platforms"
    label = "platforms"
