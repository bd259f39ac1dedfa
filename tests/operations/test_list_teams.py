"""Listing teams from the shell."""

import pytest
from django.core.management import CommandError

from connections_project.identity.accounts import create_team
from connections_project.identity.models import Team, User
from tests.support.bank import Bank
from tests.support.listing_commands import listed, run
from tests.support.social_rows import account_of


@pytest.fixture
def press(owner: User, outsider: User) -> Team:
    return create_team(name="Press", emails=["owner@example.com", "outsider@example.com"])


def test_shared_teams_are_not_drowned(press: Team) -> None:
    counts = {"members": 2, "active_members": 2, "live_connections": 0}
    assert listed("list_teams") == [{"id": str(press.pk), "name": "Press", **counts}]
    assert "Press" in run("list_teams")


def test_an_own_team_that_is_shared_is_listed(owner: User, teammate: User) -> None:
    assert [one["id"] for one in listed("list_teams")] == [str(owner.own_team.pk)]


def test_everybodys_own_are_listed_on_demand(press: Team) -> None:
    assert len(listed("list_teams", "--personal")) == 3


def test_the_teams_of_one_person_are_found(press: Team, owner: User, operator: User) -> None:
    other = create_team(name="Other", emails=["operator@example.com"])
    assert [one["id"] for one in listed("list_teams", "--member", str(owner.pk))] == [str(press.pk)]
    found = listed("list_teams", "--member", str(operator.pk))
    assert [one["id"] for one in found] == [str(other.pk)]
    with pytest.raises(CommandError):
        run("list_teams", "--member", "kim")


def test_teams_that_nobody_active_is_in_are_found(
    press: Team, outsider: User, platforms: Bank
) -> None:
    User.objects.filter(pk__in=press.members.values("pk")).update(is_active=False)
    for number, status in enumerate(["active", "active", "disconnected"]):
        account_of(press, account_id=str(number), status=status)
    account_of(outsider.own_team, account_id="another team's")
    counts = {"members": 2, "active_members": 0, "live_connections": 2}
    assert listed("list_teams") == [{"id": str(press.pk), "name": "Press", **counts}]
    assert run("list_teams").split() == [str(press.pk), "2", "0", "2", "Press"]


def test_a_name_can_do_nothing_to_a_terminal(owner: User) -> None:
    Team.objects.create(name="\x1b[31mred")
    assert "\x1b" not in run("list_teams")
