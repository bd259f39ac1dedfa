"""Issue a receipt: what is known now, signed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings

from connections_project.connections.errors import ConnectionNotFoundError, NotOwnerError
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import belongs_to, find_connection
from connections_project.core import clock
from connections_project.core.parsing import render_datetime
from connections_project.core.signing import key_id
from connections_project.identity.models import User
from connections_project.receipts.facts import Facts, facts
from connections_project.receipts.keys import signing_key


def issue_own(*, connection_id: UUID | None, user: User) -> str:
    """Issue the receipt of a user's own connection, or of one of the user's team.

    Args:
        connection_id: None for an id that is none.

    Raises:
        ConnectionNotFoundError: Unknown.
        NotOwnerError: Somebody else's.
        NotDisconnectedError: It is not over.
    """
    connection = find_connection(connection_id) if connection_id else None
    if connection is None:
        raise ConnectionNotFoundError
    if not belongs_to(connection, user.pk):
        raise NotOwnerError
    return issue(connection)


def issue(connection: OAuthConnection) -> str:
    """Issue the receipt of any connection that is over, as a compact JWS (RFC 7515, EdDSA).

    Each is made afresh: it attests what is known when it is made, such as that the tokens are
    still to be revoked.

    Raises:
        NotDisconnectedError: It is not over.
    """
    key = signing_key()
    headers = {"kid": key_id(key.public_key())}
    return jwt.encode(_claims(connection, facts(connection)), key, "EdDSA", headers=headers)


def _claims(connection: OAuthConnection, known: Facts) -> dict[str, Any]:
    return {
        "iss": settings.PUBLIC_URL,
        "iat": int(clock.now().timestamp()),
        "connection_id": str(connection.pk),
        "app": connection.app,
        "platform": connection.platform_slug,
        "disconnected_at": render_datetime(known.disconnected_at),
        "actor": known.ending.actor_type,
        "interface": known.ending.interface,
        "erased": list(known.erased),
        "revocation": _revocation(known),
        **unreadable_claim(known.unreadable),
    }


def unreadable_claim(event_ids: Iterable[UUID]) -> dict[str, list[str]]:
    """Return the claim that names events which a receipt should rest on and that can't be read."""
    named = [*map(str, event_ids)]
    return {"unreadable": named} if named else {}


def _revocation(known: Facts) -> dict[str, Any]:
    revocation = known.revocation
    optional = {
        "verification": revocation.verification or None,
        "last_error": revocation.last_error or None,
        "finished_at": render_datetime(revocation.finished_at) if revocation.finished_at else None,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    return {"state": revocation.state, "attempts": revocation.attempts, **given}
