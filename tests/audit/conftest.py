"""One event to look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import transaction

from audit.events import Action, ActorType, Interface
from audit.models import AuditEvent
from audit.record import Origin, record

SUBJECT = UUID("018f3e0c-7b1a-7c3d-8e4f-0123456789ab")
SYSTEM = Origin(ActorType.SYSTEM, None, Interface.COMMAND)


@pytest.fixture
def recorded() -> Callable[..., AuditEvent]:
    """Record one event, with whatever differs from the plainest, and give its row."""

    def make(**differing: Any) -> AuditEvent:
        outcome: dict[str, Any] = {
            "origin": SYSTEM,
            "subject_type": "thing",
            "subject_id": SUBJECT,
            "subject_owner_id": None,
        }
        with transaction.atomic():
            record(Action.PROVIDER_CONNECTED, **(outcome | differing))
        return AuditEvent.objects.latest("id")

    return make


@pytest.fixture
def checkpoints_file(settings: LazySettings, tmp_path: Path) -> Path:
    """The file of checkpoints outside the database, of this test alone."""
    settings.AUDIT_HEADS_FILE = tmp_path / "checkpoints.jsonl"
    return tmp_path / "checkpoints.jsonl"
