"""Who may come in: people, services, and the teams they belong to."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "connections_project.identity"
    label = "identity"

    def ready(self) -> None:
        # Importing registers it.
        from connections_project.identity import schema  # noqa: F401
