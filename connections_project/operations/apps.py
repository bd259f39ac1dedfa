"""What operators do to many connections at once, or to all of a person."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "connections_project.operations"
    label = "operations"

    def ready(self) -> None:
        from connections_project.connections.admin import ConnectionAdmin
        from connections_project.core.periodic import periodic_task
        from connections_project.identity.admin import MembershipInline, UserAdmin
        from connections_project.operations.admin.force import ForceDisconnect
        from connections_project.operations.admin.members import MembersFormSet
        from connections_project.operations.admin.offboarding import Offboarding
        from connections_project.operations.admin.platforms import platform_facts
        from connections_project.operations.bulk_jobs import sweep_bulk_jobs
        from connections_project.operations.bulk_worker import process_bulk_jobs
        from connections_project.operations.offboarding_worker import process_offboardings
        from connections_project.platforms.admin import SuspensionAdmin

        ConnectionAdmin.extensions.append(ForceDisconnect)
        UserAdmin.extensions.append(Offboarding)
        MembershipInline.formset = MembersFormSet  # type: ignore[misc]
        SuspensionAdmin.facts_of = platform_facts
        periodic_task(process_bulk_jobs, every=30.0)
        periodic_task(process_offboardings, every=5.0)
        periodic_task(sweep_bulk_jobs, every=3600.0)
