"""What is put together once all apps are loaded."""

from django.apps import AppConfig
from django.conf import settings


class ConnectionsProjectConfig(AppConfig):
    name = "connections_project"

    def ready(self) -> None:
        from connections_project.api.error_routing import register
        from connections_project.connections import checks as connection_checks  # noqa: F401
        from connections_project.connections.outbound import note_call, reserve_for_call
        from connections_project.core import checks  # noqa: F401
        from connections_project.core.database import release_connections
        from connections_project.oauth.observers import observe_calls, prepare_calls
        from connections_project.oauth.transport import use_proxy
        from connections_project.receipts.views import ReceiptErrors

        register("/api/v1/receipts", ReceiptErrors())
        # The first one may need a connection, the second one lets go of it.
        prepare_calls(reserve_for_call)
        prepare_calls(lambda *_: release_connections())
        observe_calls(note_call)
        use_proxy(settings.OUTBOUND_PROXY)
