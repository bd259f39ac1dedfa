"""The canonical text of an event: whatever a database makes of its JSON, the digest is the same."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_

from audit.canonical import FIELDS, canonical, event_as_json
from audit.models import AuditEvent

# What PostgreSQL takes: no NUL, no half of a surrogate pair.
TEXT = any_.text(any_.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
JSON = any_.recursive(
    any_.none()
    | any_.booleans()
    | any_.integers()
    | any_.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda values: any_.lists(values, max_size=4) | any_.dictionaries(TEXT, values, max_size=4),
    max_leaves=12,
)
EVENT: dict[str, Any] = {
    "id": UUID("018f3e0c-7b1a-7c3d-8e4f-0123456789ab"),
    "occurred_at": datetime(2026, 11, 25, 9, 30, 0, 7, tzinfo=UTC),
    "action": "provider_disconnected",
    "outcome": "success",
    "actor_type": "user",
    "actor_id": UUID(int=1),
    "interface": "api",
    "subject_type": "providers.connection",
    "subject_id": None,
    "subject_owner_id": None,
    "reason": "Grüße \U0001f980",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "client_address": "2001:db8::1",
    "details": {"platform": "bank", "b": 1.0, "a": [1e23, -0.0, 0.5]},
}
# Digests of what was sealed before must stay those of what is there: this text never changes.
TEXT_OF_EVENT = (
    '{"action":"provider_disconnected","actor_id":"00000000-0000-0000-0000-000000000001",'
    '"actor_type":"user","client_address":"2001:db8::1",'
    '"details":{"a":[100000000000000000000000,0,0.5],"b":1,"platform":"bank"},'
    '"id":"018f3e0c-7b1a-7c3d-8e4f-0123456789ab","interface":"api",'
    '"occurred_at":"2026-11-25T09:30:00.000007Z","outcome":"success",'
    '"reason":"Gr\\u00fc\\u00dfe \\ud83e\\udd80","subject_id":null,"subject_owner_id":null,'
    '"subject_type":"providers.connection","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}'
)


def stored(**differing: Any) -> dict[str, Any]:
    """Put an event into the database, and give its columns as they come back; nothing stays."""
    with transaction.atomic():
        AuditEvent.objects.create(**(EVENT | differing))
        columns: dict[str, Any] = AuditEvent.objects.values(*FIELDS).get(pk=EVENT["id"])
        transaction.set_rollback(True)
    return columns


@pytest.mark.django_db
def test_text_is_the_same_on_both_databases() -> None:
    assert canonical(event_as_json(EVENT)).decode() == TEXT_OF_EVENT
    assert canonical(event_as_json(stored())).decode() == TEXT_OF_EVENT, connection.vendor


@pytest.mark.django_db
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(details=any_.dictionaries(TEXT, JSON, max_size=5))
def test_details_come_back_unchanged(details: dict[str, Any]) -> None:
    before = canonical(event_as_json(EVENT | {"details": details}))
    after = canonical(event_as_json(stored(details=details)))
    assert before == after
    # An export is read, and digested, as JSON.
    assert canonical(json.loads(after)) == after
