"""`manage.py show_audit_trail`: what happened to one thing, oldest first."""

import json
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Origin, record
from connections_project.core.ids import uuid7

pytestmark = pytest.mark.django_db


def record_events(action: Action, subject: UUID, *, outcome: Outcome = Outcome.SUCCESS) -> None:
    with transaction.atomic():
        record(
            action,
            origin=Origin(ActorType.SYSTEM, None, Interface.COMMAND),
            subject_type="providers.connection",
            subject_id=subject,
            subject_owner_id=None,
            outcome=outcome,
            reason="spring cleaning",
            details={"platform": "bank"},
        )


def output_of(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("show_audit_trail", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_only_the_subject_is_shown_oldest_first() -> None:
    subject = uuid7()
    record_events(Action.PROVIDER_CONNECTED, subject)
    record_events(Action.PROVIDER_CONNECTED, uuid7())
    record_events(Action.TOKEN_REVOKED, subject, outcome=Outcome.FAILURE)
    first, second = output_of(str(subject))
    assert " provider_connected success, by system through command" in first
    assert second.endswith("token_revoked failure, by system through command, "
                           "because: spring cleaning")  # fmt: skip


def test_json_is_one_object_a_line() -> None:
    subject = uuid7()
    record_events(Action.PROVIDER_CONNECTED, subject)
    (line,) = output_of(str(subject), "--json")
    event = json.loads(line)
    assert event["subject_id"] == str(subject)
    assert event["actor_id"] is None
    assert event["details"] == {"platform": "bank"}


def test_an_id_without_events_is_said_to_have_none() -> None:
    subject = uuid7()
    assert output_of(str(subject)) == [f"The audit log has nothing about {subject}."]
    assert output_of(str(subject), "--json") == []


def test_what_is_no_id_is_refused() -> None:
    with pytest.raises(CommandError, match="neither an id nor"):
        output_of("not-an-id")
