"""What a superuser of the database could do to the audit log, its triggers out of the way."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import time_machine
from django.db import connection, transaction
from django.utils import timezone

from audit.events import Action, ActorType, Interface
from audit.models import AuditEvent, Seal, SealedEvent
from audit.record import Event, Origin, record_many
from audit.seal import seal_all
from connections_project.core.ids import uuid7
from tests.support.audit_triggers import drop_triggers


def record_events(count: int, *, owner: UUID | None = None) -> list[UUID]:
    """Record events, and give their ids in order."""
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    with transaction.atomic():
        record_many(
            Event(
                action=Action.PROVIDER_CONNECTED,
                origin=Origin(ActorType.SYSTEM, None, Interface.COMMAND, "192.0.2.7"),
                subject_type="thing",
                subject_id=uuid7(),
                subject_owner_id=owner,
                details={"platform": "bank", "number": number},
            )
            for number in range(count)
        )
    found = AuditEvent.objects.exclude(pk__in=before).order_by("pk")
    return list(found.values_list("pk", flat=True))


def sealed(count: int) -> list[UUID]:
    """Record events and seal them."""
    ids = record_events(count)
    seal()
    return ids


def seal() -> list[Seal]:
    return list(seal_all())


def change(event_id: UUID, **columns: object) -> None:
    drop_triggers()
    AuditEvent.objects.filter(pk=event_id).update(**columns)


def remove(*event_ids: UUID) -> None:
    drop_triggers()
    AuditEvent.objects.filter(pk__in=event_ids).delete()


def remove_with_digests(*event_ids: UUID) -> None:
    remove(*event_ids)
    SealedEvent.objects.filter(pk__in=event_ids).delete()


def insert(*, ago: timedelta = timedelta(hours=1)) -> UUID:
    """Put a row into the table that claims to be old, as no trigger can prevent."""
    event = AuditEvent(
        action="provider_connected",
        outcome="success",
        actor_type="user",
        interface="api",
        subject_type="thing",
        trace_id="0" * 32,
        occurred_at=timezone.now() - ago,
    )
    event.save(force_insert=True)
    return event.pk


def cut_off(*, from_seal: int) -> None:
    """Remove seals, their digests and their events, so that nothing inside names them."""
    drop_triggers()
    AuditEvent.objects.filter(sealed__seal_id__gte=from_seal).delete()
    SealedEvent.objects.filter(seal_id__gte=from_seal).delete()
    Seal.objects.filter(pk__gte=from_seal).delete()


def start_anew(checkpoints_file: Path) -> None:
    """Remove all seals, so that everything would be sealed afresh, unknown to the file outside."""
    drop_triggers()
    SealedEvent.objects.all().delete()
    Seal.objects.all().delete()
    checkpoints_file.unlink(missing_ok=True)


def seal_by_stolen_key(checkpoints_file: Path) -> None:
    """Seal everything anew, as if it had been sealed when it was, and the same outside."""
    sealed_at = Seal.objects.values_list("sealed_at", flat=True).earliest("sealed_at")
    start_anew(checkpoints_file)
    with time_machine.travel(sealed_at, tick=False):
        seal()


def sql(statement: str, *parameters: Any) -> None:
    drop_triggers()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
