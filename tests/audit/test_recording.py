"""An event is written in the transaction of what it records, with all that is known about it."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Action, ActorType, Interface, Outcome
from audit.models import AuditEvent
from audit.record import Event, Origin, record, record_many
from connections_project.core.clock import database_clock
from connections_project.core.documents import MANY
from connections_project.core.ids import uuid7
from connections_project.middleware.tracing import tracing
from tests.audit.conftest import SUBJECT, SYSTEM

Recorded = Callable[..., AuditEvent]


def an_event(action: Action = Action.PROVIDER_DISCONNECTED, **differing: Any) -> Event:
    given: dict[str, Any] = {"subject_type": "thing", "subject_id": SUBJECT, "origin": SYSTEM}
    return Event(action=action, subject_owner_id=None, **(given | differing))


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [1, -1])
def test_it_is_dated_by_the_databases_clock(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Receipts and replays compare what several hosts have written."""
    now = timezone.now()
    monkeypatch.setattr(database_clock, "_lead", time.time() - time.monotonic())
    monkeypatch.setattr(database_clock, "is_due", lambda: False)
    with time_machine.travel(now + timedelta(hours=hours)):
        assert abs(recorded().occurred_at - now) < timedelta(minutes=1)


@pytest.mark.django_db
def test_a_row_has_all_that_was_recorded(recorded: Recorded) -> None:
    actor, owner = uuid4(), uuid4()
    with tracing("a" * 32):
        row = recorded(
            origin=Origin(ActorType.USER, actor, Interface.API, "2001:db8::1"),
            subject_owner_id=owner,
            outcome=Outcome.FAILURE,
            reason="refused",
            details={"platform": "schwab", "job": owner, "none": None},
        )
    row.refresh_from_db()
    assert (row.action, row.outcome, row.reason) == ("provider_connected", "failure", "refused")
    assert (row.actor_type, row.actor_id, row.interface) == ("user", actor, "api")
    assert (row.subject_type, row.subject_id, row.subject_owner_id) == ("thing", SUBJECT, owner)
    assert (row.client_address, row.trace_id) == ("2001:db8::1", "a" * 32)
    assert row.details == {"platform": "schwab", "job": str(owner), "none": None}
    assert abs(timezone.now() - row.occurred_at) < timedelta(seconds=10)


@pytest.mark.django_db
def test_the_causes_trace_id_comes_first() -> None:
    with tracing("a" * 32), transaction.atomic():
        record_many([an_event(trace_id="b" * 32)])
    assert AuditEvent.objects.get().trace_id == "b" * 32


@pytest.mark.django_db
def test_an_address_that_nobody_knows_is_null(recorded: Recorded) -> None:
    origin = Origin(ActorType.SYSTEM, None, Interface.WORKER, "")
    assert recorded(origin=origin).client_address is None


@pytest.mark.django_db
def test_keys_follow_each_other_in_time(recorded: Recorded) -> None:
    keys = [recorded().pk for _ in range(20)]
    assert keys == sorted(keys)
    assert {key.version for key in keys} == {7}


@pytest.mark.django_db
def test_many_events_are_one_insert(django_assert_num_queries: Any) -> None:
    # Of a kind that no host application is told, so that nobody asks who listens.
    events = [an_event(Action.LOGIN_FAILED, subject_id=UUID(int=n)) for n in range(50)]
    with django_assert_num_queries(1):
        record_many(events)
    assert AuditEvent.objects.count() == 50


@pytest.mark.django_db
def test_no_events_are_no_insert(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        record_many([])


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="none is open"):
        record(
            Action.LOGIN_FAILED,
            origin=SYSTEM,
            subject_type="user",
            subject_id=None,
            subject_owner_id=None,
        )
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_recorded() -> None:
    with transaction.atomic():
        record_many([an_event()])
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["outcome", "actor_type", "interface"])
def test_the_database_knows_the_closed_vocabularies(field: str) -> None:
    words = {"outcome": "success", "actor_type": "user", "interface": "api"} | {field: "unheard"}
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.create(action="a", subject_type="s", trace_id="t", **words)


def test_every_action_fits_its_column() -> None:
    longest = AuditEvent._meta.get_field("action").max_length
    assert longest is not None
    assert all(len(action) <= longest for action in Action)


@pytest.mark.django_db
def test_many_are_stored_as_one_is() -> None:
    """PostgreSQL takes many as one document: in it nothing may come out differently."""
    details = {"text": "ü \" ' \\ % %s {} 🙂", "number": 7, "no": None, "deep": {"list": [1, "a"]}}
    given = Event(
        action=Action.PROVIDER_DISCONNECTED,
        origin=Origin(ActorType.OPERATOR, uuid7(), Interface.COMMAND, "2001:db8::1"),
        subject_type="providers.connection",
        subject_id=uuid7(),
        subject_owner_id=uuid7(),
        reason="ü \" ' \\ % %s {} 🙂",
        details=details,
    )
    bare = replace(
        given,
        origin=Origin(ActorType.SYSTEM, None, Interface.WORKER),
        subject_id=None,
        subject_owner_id=None,
        details=None,
        outcome=Outcome.FAILURE,
    )
    for event in (given, bare):
        record_many([event])
        record_many([event] * MANY)
    for event in (given, bare):
        rows = AuditEvent.objects.filter(outcome=event.outcome).order_by("id")
        shown = [{**vars(row), "id": 0, "occurred_at": 0, "_state": 0} for row in rows]
        assert len(shown) == MANY + 1
        assert shown == shown[:1] * len(shown)
        assert {row.occurred_at.tzinfo for row in rows} == {rows[0].occurred_at.tzinfo}
        assert len({row.pk for row in rows}) == MANY + 1
