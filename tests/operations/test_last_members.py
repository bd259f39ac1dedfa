"""The last active member of a team stays while the team has live accounts."""

from typing import Any

import pytest
from django.test import Client

from connections_project.identity.models import Membership, Team, User
from social.models import SocialAccount
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db

WARNING = "would be left without an active member"


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


@pytest.fixture
def team(owner: User, platforms: object) -> Team:
    """A shared team of the owner's with a live account."""
    team = Team.objects.create(name="Press")
    Membership.objects.create(team=team, user=owner)
    account_of(team)
    return team


def form_of(team: Team, **changes: Any) -> dict[str, Any]:
    """Return the form of the team's page as it stands, with some of its fields changed."""
    rows = list(team.memberships.order_by("pk"))
    form = {
        "name": team.name,
        "memberships-TOTAL_FORMS": str(len(rows)),
        "memberships-INITIAL_FORMS": str(len(rows)),
    }
    for number, row in enumerate(rows):
        form[f"memberships-{number}-id"] = str(row.pk)
        form[f"memberships-{number}-team"] = str(team.pk)
        form[f"memberships-{number}-user"] = str(row.user_id)
    return form | {f"memberships-{name}": value for name, value in changes.items()}


def send(page: Client, team: Team, form: dict[str, Any]) -> Any:
    return page.post(f"/admin/identity/team/{team.pk}/change/", form)


def refused(answer: Any) -> bool:
    return answer.status_code == 200 and WARNING in answer.content.decode()


def test_it_is_not_taken_out(page: Client, team: Team, owner: User) -> None:
    answer = send(page, team, form_of(team, **{"0-DELETE": "on"}))
    assert refused(answer)
    assert "Disconnect its 1 live account first" in answer.content.decode()
    assert list(team.members.all()) == [owner]


def test_nor_replaced_by_one_who_is_deactivated(page: Client, team: Team, outsider: User) -> None:
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    assert refused(send(page, team, form_of(team, **{"0-user": outsider.pk})))


def test_a_successor_takes_the_place(page: Client, team: Team, outsider: User) -> None:
    assert send(page, team, form_of(team, **{"0-user": outsider.pk})).status_code == 302
    assert list(team.members.all()) == [outsider]


def test_a_successor_is_added_in_the_same_form(page: Client, team: Team, outsider: User) -> None:
    added = {"0-DELETE": "on", "TOTAL_FORMS": "2", "1-team": team.pk, "1-user": outsider.pk}
    assert send(page, team, form_of(team, **added)).status_code == 302
    assert list(team.members.all()) == [outsider]


def test_one_of_two_may_leave(page: Client, team: Team, outsider: User) -> None:
    Membership.objects.create(team=team, user=outsider)
    assert send(page, team, form_of(team, **{"0-DELETE": "on"})).status_code == 302
    assert team.members.count() == 1


def test_who_is_deactivated_counts_for_nobody(page: Client, team: Team, outsider: User) -> None:
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    Membership.objects.create(team=team, user=outsider)
    assert refused(send(page, team, form_of(team, **{"0-DELETE": "on"})))


def test_a_team_without_live_accounts_may_be_left(page: Client, team: Team) -> None:
    SocialAccount.objects.all().delete()
    account_of(team, status="disconnected")
    assert send(page, team, form_of(team, **{"0-DELETE": "on"})).status_code == 302


def test_a_team_without_active_members_may_be_edited(page: Client, team: Team, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert send(page, team, form_of(team, **{"0-DELETE": "on"})).status_code == 302


def test_other_changes_are_none_of_its_business(page: Client, team: Team) -> None:
    assert send(page, team, form_of(team) | {"name": "News"}).status_code == 302
