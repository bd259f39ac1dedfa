"""Grants, and the revocation of their tokens at the platforms."""

from django.apps import AppConfig


class RevocationConfig(AppConfig):
    name = "connections_project.revocation"
    label = "revocation"

    def ready(self) -> None:
        from connections_project.core.periodic import periodic_task
        from connections_project.core.storable import written_with_answers
        from connections_project.revocation.models import GrantHold, OpenQuestion, RevocationJob
        from connections_project.revocation.retention import forget_old_jobs
        from connections_project.revocation.worker import process_revocations

        written_with_answers(GrantHold, OpenQuestion, RevocationJob)
        periodic_task(process_revocations, every=5)
        periodic_task(forget_old_jobs, every=3600)
