"""The sandbox as an app of its own project; the service never installs it."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "connections_project.sandbox"
    label = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"
