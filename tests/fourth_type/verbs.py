"""What may be done with calendars."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.record import Origin, record_many
from connections_project.connections import flow
from connections_project.connections.callback import exchange_and_identify, validate_user_callback
from connections_project.connections.end_many import (
    DisconnectRequest,
    DisconnectResult,
    erased,
    event_about,
    lock_rows,
    source_of,
    update,
)
from connections_project.connections.flow import Answer
from connections_project.connections.store_grant import ReceivedGrant, store
from connections_project.identity.models import User
from connections_project.revocation.release_many import release_many
from tests.fourth_type.models import Calendar, CalendarAction, Status


def complete(*, state: str, answer: Answer, bearer: User | None, origin: Origin) -> Calendar:
    """Go through with a flow."""
    failed = CalendarAction.CONNECTION_FAILED
    validated_flow = validate_user_callback(
        app=Calendar.app, failed=failed, state=state, answer=answer, bearer=bearer, origin=origin
    )
    now = timezone.now()
    row = Calendar(
        user=validated_flow.principal,
        platform=validated_flow.flow.slug,
        created_at=now,
        updated_at=now,
    )
    tokens, identity = exchange_and_identify(
        validated_flow.flow,
        validated_flow.upstream,
        code=answer.code or "",
        whose=flow.identify,
        row=row,
        failed=failed,
        origin=validated_flow.origin,
    )
    received = ReceivedGrant(upstream=validated_flow.upstream, tokens=tokens, identity=identity)
    with transaction.atomic():
        store(row, received, connected=CalendarAction.CONNECTED, origin=validated_flow.origin)
    return row


def disconnect(ids: Collection[UUID], order: DisconnectRequest, _: Any) -> DisconnectResult:
    """Disconnect a batch in the caller's transaction."""
    live = Calendar._default_manager.exclude(status=Status.DISCONNECTED)
    rows = lock_rows(live, ids, wait=order.wait)
    if not rows:
        return DisconnectResult()
    released = release_many(rows, source_of(Calendar), revoke=order.revoke)
    now = timezone.now()
    update(Calendar, rows, status=Status.DISCONNECTED, disconnected_at=now, **erased(now))
    record_many(
        event_about(
            one,
            CalendarAction.DISCONNECTED,
            app=Calendar.app,
            order=order,
            credentials_erased=one.had_tokens,
            revocation=released.decisions[one.connection_id],
        )
        for one in rows
    )
    return DisconnectResult(rows, job_ids=released.job_ids)
