"""Change what a user may change of a connection: its alias."""

from uuid import UUID

from django.db import transaction

from audit.events import Action
from audit.record import Origin
from connections_project.connections.records import record_about
from connections_project.core import clock
from connections_project.identity.models import User
from providers.models import Connection
from providers.selectors import own_connection


def rename_own(
    *, connection_id: UUID | None, user: User, alias: str | None, origin: Origin
) -> Connection:
    """Return a user's own connection another alias, or none.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
    """
    with transaction.atomic():
        # A user who has gone meanwhile, and may be forgotten, leaves nothing more here.
        active = Connection.objects.filter(user__is_active=True)
        rows = active.select_for_update(of=("self",))
        connection = own_connection(connection_id, user_id=user.pk, rows=rows)
        connection.alias = alias
        connection.updated_at = clock.now()
        connection.save(update_fields=["alias", "updated_at"])
        record_about(connection, Action.PROVIDER_UPDATED, origin=origin, changed=["alias"])
    return connection
