from django.apps import AppConfig


class FourthTypeConfig(AppConfig):
    name = "tests.fourth_type"

    def ready(self) -> None:
        from connections_project.connections.registry import (
            AuditActions,
            ConnectionType,
            register,
        )
        from tests.fourth_type.models import Calendar, CalendarAction, Status
        from tests.fourth_type.verbs import complete, disconnect

        register(
            ConnectionType(
                model=Calendar,
                title="Calendars",
                statuses=Status.values,
                actions=AuditActions(
                    connected=CalendarAction.CONNECTED,
                    connection_failed=CalendarAction.CONNECTION_FAILED,
                    token_refresh_failed=CalendarAction.REFRESH_FAILED,
                    disconnected=CalendarAction.DISCONNECTED,
                ),
                complete=complete,
                disconnect=disconnect,
                operator_fields=("color",),
            )
        )
