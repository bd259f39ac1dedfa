"""What is put together once all apps are loaded."""

from django.apps import AppConfig
from django.conf import settings


class ConnectionsProjectConfig(AppConfig):
    name = "connections_project"

    def ready(self) -> None:
        from django.core.signals import request_finished, request_started

        from connections_project.api.error_routing import register
        from connections_project.connections import checks as connection_checks  # noqa: F401
        from connections_project.connections.confirm import confirm_holders
        from connections_project.connections.ending_grants import note_ending_grants
        from connections_project.connections.living import living_tokens
        from connections_project.connections.open_questions import ask_open_questions
        from connections_project.connections.outbound_limits import note_call, reserve_for_call
        from connections_project.connections.renewal import renew_ending_grants
        from connections_project.core import checks, lookups  # noqa: F401
        from connections_project.core.database import release_connections
        from connections_project.core.inline import end_of_request, start_of_request
        from connections_project.core.periodic import periodic_task
        from connections_project.oauth.observers import observe_calls, prepare_calls
        from connections_project.oauth.transport import use_proxy
        from connections_project.receipts.views import ReceiptErrors
        from connections_project.revocation.in_use import look_up_living_by
        from connections_project.revocation.send import confirm_holders_by

        register("/api/v1/receipts", ReceiptErrors())
        # The first one may need a connection, the second one lets go of it.
        prepare_calls(reserve_for_call)
        prepare_calls(lambda *_: release_connections())
        observe_calls(note_call)
        confirm_holders_by(confirm_holders)
        look_up_living_by(living_tokens)
        use_proxy(settings.OUTBOUND_PROXY)
        request_started.connect(start_of_request)
        request_finished.connect(end_of_request)
        periodic_task(note_ending_grants)
        periodic_task(renew_ending_grants, own_thread=True)
        periodic_task(ask_open_questions, every=5, own_thread=True)
