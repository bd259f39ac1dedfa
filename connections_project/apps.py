"""The roof: puts the apps together."""

from django.apps import AppConfig


class ConnectionsProjectConfig(AppConfig):
    name = "connections_project"

    def ready(self) -> None:
        from connections_project import error_formats  # noqa: F401
        from connections_project.connections import checks as connection_checks  # noqa: F401
        from connections_project.core import checks  # noqa: F401
        from connections_project.core.jobs.worker import release_connections
        from connections_project.oauth.observers import prepare_calls

        prepare_calls(release_connections)
