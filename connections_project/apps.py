"""What is put together once all apps are loaded."""

from django.apps import AppConfig
from django.conf import settings


class ConnectionsProjectConfig(AppConfig):
    name = "connections_project"

    def ready(self) -> None:
        from connections_project.api.error_routing import register
        from connections_project.connections import checks as connection_checks  # noqa: F401
        from connections_project.core import checks  # noqa: F401
        from connections_project.core.jobs.worker import release_connections
        from connections_project.oauth.observers import prepare_calls
        from connections_project.oauth.transport import use_proxy
        from connections_project.receipts.views import ReceiptErrors

        register("/api/v1/receipts", ReceiptErrors())
        prepare_calls(release_connections)
        use_proxy(settings.OUTBOUND_PROXY)
