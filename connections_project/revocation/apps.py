from django.apps import AppConfig


class RevocationConfig(AppConfig):
    name = "connections_project.revocation"
    label = "revocation"

    def ready(self) -> None:
        from connections_project.housekeeping import chore
        from connections_project.revocation.drain import work_off

        chore(work_off, every=5)
