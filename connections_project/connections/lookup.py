"""Find a connection of which only the id is known."""

from uuid import UUID

from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import connection_types
from connections_project.identity.models import Membership


def find_connection(connection_id: UUID) -> OAuthConnection | None:
    """Return the connection of any app, whatever its status, also one deleted from sight."""
    for one in connection_types():
        row: OAuthConnection | None = one.rows.filter(pk=connection_id).first()
        if row is not None:
            return row
    return None


def belongs_to(connection: OAuthConnection, user_id: UUID) -> bool:
    """Whether a connection is a user's own, or one of a team's that the user belongs to."""
    owner = connection.responsible_id
    return owner == user_id or Membership.objects.filter(team_id=owner, user_id=user_id).exists()
