"""The groups that come with the service: operators act, auditors look."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from connections_project.identity.models import User
from tests.identity.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def permissions_of(group: str) -> set[str]:
    return set(Group.objects.get(name=group).permissions.values_list("codename", flat=True))


def test_auditors_may_view_all_and_change_nothing() -> None:
    granted = permissions_of("Auditors")
    assert {"view_connection", "view_auditevent", "view_user", "view_revocationjob"} <= granted
    assert all(codename.startswith("view_") for codename in granted)


def test_operators_may_act_but_never_delete() -> None:
    granted = permissions_of("Operators")
    assert granted > permissions_of("Auditors")
    assert {"change_user", "add_suspension", "delete_suspension"} <= granted
    assert {one for one in granted if one.startswith("delete_")} == {"delete_suspension"}
    assert not granted & {"change_group", "change_permission", "add_user", "change_auditevent"}


def test_operators_may_force_disconnects_in_every_app() -> None:
    known = Permission.objects.filter(codename__startswith="force_disconnect_")
    assert known.exists()
    assert set(known.values_list("codename", flat=True)) <= permissions_of("Operators")


def test_another_migrate_keeps_what_was_added_by_hand() -> None:
    added = Permission.objects.get(codename="change_group")
    Group.objects.get(name="Operators").permissions.add(added)
    call_command("migrate", verbosity=0)
    assert "change_group" in permissions_of("Operators")
    assert Group.objects.count() == 2


def test_an_operator_can_be_made_by_groups_alone(
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
