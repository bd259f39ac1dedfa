"""Commands find the people of issuers by the addresses that these say, and never pick one."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from connections_project.identity.models import User
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db

KIM = "kim@example.com"
WHY = ("--reason", "left the company")
# Each names a person; it changes nothing, or says that it has done so.
COMMANDS: dict[str, tuple[str, ...]] = {
    "disconnect_user": ("disconnect_user", KIM, *WHY, "--dry-run"),
    "--user": ("disconnect_provider", "--user", KIM, *WHY, "--dry-run"),
    "leaver_receipt": ("leaver_receipt", KIM),
    "--owner": ("export_audit_log", "--owner", KIM),
}


def person_of(issuer: str, subject: str, **columns: Any) -> User:
    return User.objects.create(
        issuer=f"https://{issuer}.example.com", subject=subject, issuer_email=KIM, **columns
    )


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(*command: str) -> CommandError:
    with pytest.raises(CommandError) as error:
        said(*command)
    return error.value


@pytest.fixture
def kim() -> User:
    return person_of("one", "kim-1")


def test_their_connections_end(kim: User, platforms: Bank) -> None:
    row = connection_of(kim)
    assert "1 connection disconnected" in said("disconnect_user", "Kim@Example.com", *WHY, "--yes")
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert said("leaver_receipt", KIM)


def test_a_selection_may_be_theirs(kim: User, owner: User, platforms: Bank) -> None:
    theirs, others = connection_of(kim), connection_of(owner, account_id="2")
    said("disconnect_provider", "--user", KIM, *WHY, "--yes")
    over = Connection.objects.filter(status="disconnected")
    assert [row.pk for row in over] == [theirs.pk]
    said("disconnect_provider", "--user", str(owner.pk), *WHY, "--yes")
    others.refresh_from_db()
    assert others.status == "disconnected"


def test_an_export_may_be_about_them(kim: User) -> None:
    lines = said("export_audit_log", "--owner", KIM).splitlines()
    assert json.loads(lines[0])["selection"]["owner"] == str(kim.pk)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_of_several_each_is_named_and_none_is_picked(
    kim: User, command: tuple[str, ...], platforms: Bank
) -> None:
    here = User.objects.create_user(KIM, "Pa55-word-of-kim")
    gone = person_of("two", "kim-2", is_active=False)
    error = refused(*command)
    assert error.returncode == 2
    assert str(error).splitlines() == [
        f"{KIM} is the address of several users. Name one by its id:",
        *sorted(
            [
                f"  {kim.pk}  kim-1 of https://one.example.com",
                f"  {here.pk}  of this service",
                f"  {gone.pk}  kim-2 of https://two.example.com, deactivated",
            ]
        ),
    ]
    one = [str(kim.pk) if each == KIM else each for each in command]
    if command[0] == "leaver_receipt":
        assert "has not left" in str(refused(*one))
    else:
        said(*one)


def test_only_an_operator_is_meant_as_one(kim: User, permitted: User, platforms: Bank) -> None:
    """Nobody else who has, or claims, the address of one comes in between."""
    User.objects.filter(pk=kim.pk).update(issuer_email=permitted.email)
    row = connection_of(kim)
    said("disconnect_provider", str(row.pk), *WHY, "--operator", permitted.email, "--yes")
    event = AuditEvent.objects.get(action="connection_force_disconnected")
    assert event.actor_id == permitted.pk


def test_nor_as_one_who_exports(kim: User, operator: User) -> None:
    User.objects.filter(pk=kim.pk).update(issuer_email=operator.email)
    said("export_audit_log", "--operator", operator.email)
    assert AuditEvent.objects.get(action="audit_exported").actor_id == operator.pk
    User.objects.filter(pk=operator.pk).update(is_staff=False)
    archive = ("archive_audit_log", "--before", "2020-01-01", "--to", "/none/archive")
    for command in (("export_audit_log",), archive):
        assert "no user" in str(refused(*command, "--operator", str(kim.pk)))
    assert AuditEvent.objects.filter(action="audit_exported").count() == 1
