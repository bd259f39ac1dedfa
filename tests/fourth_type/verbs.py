"""What may be done with calendars."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from audit.record import Origin
from connections_project.connections.callback import exchange_and_identify, validate_user_callback
from connections_project.connections.disconnect import (
    DisconnectRequest,
    DisconnectResult,
    disconnect_and_erase,
)
from connections_project.connections.flow import Answer
from connections_project.connections.store_grant import ReceivedGrant, store
from connections_project.identity.models import User
from connections_project.platforms.client import identify
from tests.fourth_type.models import Calendar, CalendarAction


def complete(*, state: str, answer: Answer, caller: User | None, origin: Origin) -> Calendar:
    """Go through with a flow."""
    validated = validate_user_callback(
        app=Calendar.app, state=state, answer=answer, caller=caller, origin=origin
    )
    now = timezone.now()
    row = Calendar(
        user=validated.principal, platform=validated.flow.slug, created_at=now, updated_at=now
    )
    tokens, identity = exchange_and_identify(validated, row, whose=identify)
    received = ReceivedGrant(upstream=validated.upstream, tokens=tokens, identity=identity)
    with transaction.atomic():
        store(row, received, origin=validated.origin)
    return row


def disconnect(rows: Sequence[Calendar], request: DisconnectRequest) -> DisconnectResult:
    """Disconnect rows that the caller has locked, in the caller's transaction."""
    return disconnect_and_erase(rows, request, CalendarAction.DISCONNECTED)
