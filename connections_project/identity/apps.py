"""Who may come in: people, services, and the teams they belong to."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IdentityConfig(AppConfig):
    name = "connections_project.identity"
    label = "identity"

    def ready(self) -> None:
        from connections_project.core.periodic import periodic_task
        from connections_project.core.storable import locked_with_answers
        from connections_project.identity.models import Team, User
        from connections_project.identity.sessions import forget_ended_sessions

        locked_with_answers(User, Team)
        periodic_task(forget_ended_sessions, every=3600)
        # Importing registers it.
        from connections_project.identity import schema  # noqa: F401
        from connections_project.identity.groups import fill_groups

        post_migrate.connect(fill_groups, dispatch_uid="connections_project.identity.groups")
