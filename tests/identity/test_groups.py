"""The groups that come with the service: operators act, auditors look."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from connections_project.identity.models import User
from tests.identity.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def held_by(group: str) -> set[str]:
    return set(Group.objects.get(name=group).permissions.values_list("codename", flat=True))


def test_auditors_may_look_at_everything_and_do_nothing() -> None:
    held = held_by("Auditors")
    assert {"view_connection", "view_auditevent", "view_user", "view_revocationjob"} <= held
    assert all(codename.startswith("view_") for codename in held)


def test_operators_may_look_and_act_and_never_delete_connections_people_or_audit() -> None:
    held = held_by("Operators")
    assert held > held_by("Auditors")
    assert {"change_user", "add_suspension", "delete_suspension"} <= held
    assert {one for one in held if one.startswith("delete_")} == {"delete_suspension"}
    assert not held & {"change_group", "change_permission", "add_user", "change_auditevent"}


def test_operators_may_force_a_disconnect_in_every_app_that_has_one() -> None:
    known = Permission.objects.filter(codename__startswith="force_disconnect_")
    assert known.exists()
    assert set(known.values_list("codename", flat=True)) <= held_by("Operators")


def test_another_migrate_keeps_what_was_added_by_hand() -> None:
    added = Permission.objects.get(codename="change_group")
    Group.objects.get(name="Operators").permissions.add(added)
    call_command("migrate", verbosity=0)
    assert "change_group" in held_by("Operators")
    assert Group.objects.count() == 2


def test_an_operator_may_be_made_with_a_groups_permissions_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    call_command(
        "create_operator",
        "a@x.org",
        "--password-stdin",
        "--group",
        "Auditors",
        stdout=io.StringIO(),
    )
    auditor = User.objects.get()
    assert (auditor.is_staff, auditor.is_superuser) == (True, False)
    assert auditor.has_perm("providers.view_connection")
    assert not auditor.has_perm("providers.force_disconnect_connection")


def test_an_unknown_group_makes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    with pytest.raises(CommandError, match="no group 'Nobodies'"):
        call_command("create_operator", "a@x.org", "--password-stdin", "--group", "Nobodies")
    assert not User.objects.exists()
