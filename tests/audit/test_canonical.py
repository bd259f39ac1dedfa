"""The canonical text of an event: whatever a database makes of its JSON, the digest is the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_

from audit import merkle
from audit.canonical import FIELDS, canonical, canonical_event, event_as_json, precise
from audit.digests import digested
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


@contextmanager
def stored(**differing: Any) -> Iterator[QuerySet[AuditEvent]]:
    """Put an event into the database, and give it there; nothing stays."""
    with transaction.atomic():
        AuditEvent.objects.create(**(EVENT | differing))
        yield AuditEvent.objects.filter(pk=EVENT["id"])
        transaction.set_rollback(True)


def as_fast(event: dict[str, Any], details: str) -> bytes:
    """Write an event down by the way that sealing and verifying take."""
    return canonical_event(event | {"occurred_at": precise(event["occurred_at"])}, details)


@pytest.mark.django_db
def test_text_is_the_same_on_both_databases() -> None:
    assert canonical(event_as_json(EVENT)).decode() == TEXT_OF_EVENT
    with stored() as events:
        assert canonical(event_as_json(events.values(*FIELDS).get())).decode() == TEXT_OF_EVENT


@pytest.mark.django_db
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(details=any_.dictionaries(TEXT, JSON, max_size=5))
def test_details_come_back_unchanged(details: dict[str, Any]) -> None:
    before = canonical(event_as_json(EVENT | {"details": details}))
    with stored(details=details) as events:
        after = canonical(event_as_json(events.values(*FIELDS).get()))
        (event,) = digested(events)
    assert before == after
    assert event.digest == merkle.leaf(before)
    # An export is read, and digested, as JSON.
    assert canonical(json.loads(after)) == after


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 7, 120_000])
def test_digests_are_those_of_the_text(microsecond: int) -> None:
    """Whole seconds and trailing zeros, which PostgreSQL leaves out of its text."""
    moment = EVENT["occurred_at"].replace(microsecond=microsecond)
    plain = {"occurred_at": moment, "reason": "", "details": {}, "subject_id": UUID(int=5)}
    with stored(**plain) as events:
        (event,) = digested(events)
    expected = merkle.leaf(canonical(event_as_json(EVENT | plain)))
    assert event == (EVENT["id"], moment, expected)


@settings(max_examples=300, deadline=None)
@given(details=JSON, reason=any_.text(), indent=any_.none() | any_.just(1))
def test_the_fast_way_writes_the_same(details: object, reason: str, indent: int | None) -> None:
    event = EVENT | {"reason": reason, "details": details}
    assert as_fast(event, json.dumps(details, indent=indent)) == canonical(event_as_json(event))


# What generated values seldom have: the ends of what 64 bits hold, and texts that json writes in
# other ways than orjson does, or reads and orjson doesn't.
ODD = [
    "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809",
    "1000000000000000000000001", "1.0", "-0", "-0.0", "0.1", "1e2", "1E400", "5e-324", "1e16",
    "NaN", "-Infinity", '"\x7f"', r'"\ud800"', r'"\u0000\u001f\b\f\n\r\t\/\"\\"', '"\u2028"',
    '{"b": 1, "a": {"z": [], "y": {}}, "B": 2}', '{"\u00e9": 1, "e": 2}', '{"a": 1, "a": 2}',
    "[" * 300 + "]" * 300, '"text"', "null", "true", "[1, [2, 3.5]]", '{"a": {"b": [1.0]}}',
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_odd_values_are_written_the_same(text: str) -> None:
    event = EVENT | {"reason": "", "details": json.loads(text)}
    assert as_fast(event, text) == canonical(event_as_json(event))
