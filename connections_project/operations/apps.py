from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "connections_project.operations"
    label = "operations"

    def ready(self) -> None:
        from connections_project.housekeeping import chore
        from connections_project.operations.bulk_drain import work_off
        from connections_project.operations.bulk_jobs import sweep_bulk_jobs

        chore(work_off, every=30.0)
        chore(sweep_bulk_jobs, every=3600.0)
