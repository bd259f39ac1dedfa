from django.apps import AppConfig


class RevocationConfig(AppConfig):
    name = "connections_project.revocation"
    label = "revocation"

    def ready(self) -> None:
        from django.core.signals import request_finished, request_started

        from connections_project.core.periodic import periodic_task
        from connections_project.revocation.dispatch import end_of_request, start_of_request
        from connections_project.revocation.retention import forget_old_jobs
        from connections_project.revocation.worker import process_due

        request_started.connect(start_of_request)
        request_finished.connect(end_of_request)
        periodic_task(process_due, every=5)
        periodic_task(forget_old_jobs, every=3600)
