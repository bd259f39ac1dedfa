"""Disconnect a provider: here at once and for good, at the platform right after the commit."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from connections_project.identity.models import User
from connections_project.revocation.release import release
from providers.models import Connection, Status
from providers.records import record_about
from providers.selectors import own_connection


def disconnect_own(*, connection_id: UUID | None, user: User, origin: Origin) -> Connection:
    """Disconnect a user's own connection; safe to repeat.

    Raises:
        ConnectionNotFoundError: Unknown, or deleted.
        NotOwnerError: Somebody else's.
    """
    with transaction.atomic():
        connection = _locked(connection_id, user)
        if connection.status != Status.DISCONNECTED:
            disconnect(connection, origin=origin)
    return connection


def disconnect_or_delete(*, connection_id: UUID | None, user: User, origin: Origin) -> Connection:
    """Disconnect a user's own connection; delete from sight one that is disconnected already.

    Raises:
        ConnectionNotFoundError: Unknown, or deleted.
        NotOwnerError: Somebody else's.
    """
    with transaction.atomic():
        connection = _locked(connection_id, user)
        if connection.status != Status.DISCONNECTED:
            disconnect(connection, origin=origin)
        else:
            _delete(connection, origin=origin)
    return connection


def disconnect(connection: Connection, *, origin: Origin, revoke: bool = True) -> None:
    """End a connection that the caller has locked, in the caller's transaction.

    The credentials are moved, unopened, to the revoker where the platform must be told, and are
    gone from the row with the same commit.
    """
    had_credentials = connection.auth_state is not None
    decision = release(connection.held(), origin=origin, revoke=revoke)
    connection.disconnect(now=timezone.now())
    connection.save()
    record_about(
        connection,
        Action.PROVIDER_DISCONNECTED,
        origin=origin,
        credentials_erased=had_credentials,
        revocation=decision,
    )


def _delete(connection: Connection, *, origin: Origin) -> None:
    connection.deleted_at = connection.updated_at = timezone.now()
    connection.save(update_fields=["deleted_at", "updated_at"])
    record_about(connection, Action.PROVIDER_DELETED, origin=origin)


def _locked(connection_id: UUID | None, user: User) -> Connection:
    rows = Connection.objects.select_for_update()
    return own_connection(connection_id, user_id=user.pk, rows=rows)
