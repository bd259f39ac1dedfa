"""Who is made from the shell, and what it may do, stands in the audit log."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import AuditEvent
from connections_project.identity.models import Team, User
from tests.identity.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def make(monkeypatch: pytest.MonkeyPatch, *command: str) -> User:
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    call_command(*command, "--password-stdin", stdout=StringIO())
    return User.objects.latest("id")


def only_event(action: str) -> tuple[AuditEvent, dict[str, Any]]:
    event = AuditEvent.objects.get(action=action)
    assert (event.actor_type, event.interface) == ("operator", "command")
    return event, event.details


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ([], []),
        (["--read-events", "--act-for-users"], ["events.read_events", "pages.act_for_users"]),
    ],
)
def test_a_service_account_is_recorded_with_what_it_may_do(
    monkeypatch: pytest.MonkeyPatch, options: list[str], allowed: list[str]
) -> None:
    service = make(monkeypatch, "create_service_account", "host@x.org", *options)
    event, details = only_event("user_provisioned")
    assert event.subject_id == service.pk
    assert details == {"principal_type": "service", "permissions": allowed}


def test_a_person_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    person = make(monkeypatch, "create_user", "kim@x.org")
    event, details = only_event("user_provisioned")
    assert (event.subject_id, details) == (person.pk, {"principal_type": "user"})
    assert "kim@x.org" not in str(AuditEvent.objects.values().get())


def test_a_team_is_recorded_with_its_members(db: None) -> None:
    person = User.objects.create_user("kim@x.org")
    call_command("create_team", "Press", "--member", "kim@x.org", stdout=StringIO())
    event, details = only_event("team_changed")
    assert event.subject_id == Team.objects.get(name="Press").pk
    assert details == {"changed": ["name"], "members": [str(person.pk)]}
