"""Teams' keys in the admin: made and shown once, revoked for good."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from connections_project.core.ids import uuid7
from connections_project.identity.keys import BadKeyError, find_key
from connections_project.identity.models import ApiKey, Team, User
from tests.support.admin_pages import text_of
from tests.support.provider_rows import events

LIST = "/admin/identity/apikey/"

pytestmark = pytest.mark.django_db


def made(page: Client, owner: User, **form: object) -> str:
    answer = send(page, owner, **form)
    assert "no-store" in answer["Cache-Control"]
    found = re.search(r"cnx_[0-9a-f]{16}_[\w-]{43}", answer.content.decode())
    return found[0] if found else ""


def send(page: Client, owner: User, **form: object) -> Any:
    asked = {"team": str(owner.own_team.pk), "scopes": ["social:read"], "row_id": str(uuid7())}
    return page.post(f"{LIST}add/", {**asked, **form})


def test_a_form_that_is_sent_twice_makes_one(page: Client, owner: User) -> None:
    shown = page.get(f"{LIST}add/").content.decode()
    row_id = re.search(r'name="row_id" value="([^"]+)"', shown)
    assert row_id is not None
    assert made(page, owner, row_id=row_id[1])
    for _ in range(2):
        again = send(page, owner, row_id=row_id[1])
        assert again["Location"] == f"{LIST}{ApiKey.objects.get().pk}/change/"
    assert "made once" in page.get(again["Location"]).content.decode()
    assert len(events("api_key_created")) == 1
    assert f'value="{row_id[1]}"' not in page.get(f"{LIST}add/").content.decode()


@pytest.mark.parametrize("row_id", ["", "nonsense"])
def test_a_form_of_elsewhere_makes_none(page: Client, owner: User, row_id: str) -> None:
    assert b"Open this page anew." in send(page, owner, row_id=row_id).content
    assert not ApiKey.objects.exists()


def test_what_was_refused_is_made_when_it_is_sent_again(page: Client, owner: User) -> None:
    row_id = str(uuid7())
    assert row_id in send(page, owner, row_id=row_id, scopes=[]).content.decode()
    assert made(page, owner, row_id=row_id)


def test_a_key_is_shown_once_and_works(page: Client, owner: User, operator: User) -> None:
    text = made(page, owner, name="Press desk")
    key = find_key(text, team_id=owner.own_team.pk)
    assert (key.scopes, key.created_by, key.name) == (["social:read"], operator, "Press desk")
    assert events("api_key_created")[0].actor_id == operator.pk
    for path in (LIST, f"{LIST}{key.pk}/change/"):
        assert text.split("_", 2)[2] not in page.get(path).content.decode()
        assert key.prefix in text_of(page, path)


@pytest.mark.parametrize("term", ["Press", "owner@example.com", " OWNER@example.com "])
def test_a_team_is_found_by_name_or_owner(page: Client, owner: User, term: str) -> None:
    press = Team.objects.create(name="Press")
    Team.objects.create(name="Press and more")
    made(page, owner, team=term)
    assert ApiKey.objects.get().team == (press if term == "Press" else owner.own_team)


def test_what_may_be_meant_is_shown(page: Client, owner: User) -> None:
    teams = [Team.objects.create(name=name) for name in ("Press", "Press", "Pressure")]
    for term, near in (("Press", teams[:2]), ("Pre", teams), ("Pressu", teams[2:])):
        answer = send(page, owner, team=term)
        assert all(str(team.pk) in answer.content.decode() for team in near)
    assert not ApiKey.objects.exists()


def test_teams_are_shown_to_whoever_may_see_them(client: Client) -> None:
    maker = User.objects.create_user("maker@example.com", "x", is_staff=True)
    maker.user_permissions.add(Permission.objects.get(codename="add_apikey"))
    client.force_login(maker)
    Team.objects.create(name="Press")
    answer = client.post(f"{LIST}add/", {"team": "Pre", "scopes": ["social:read"]})
    assert b"Give the id of the team." in answer.content
    assert b"Press" not in answer.content


@pytest.mark.parametrize(
    "form",
    [
        {"team": "nonsense"},
        {"team": "01a2120c-fa6a-714b-b031-524c651f63d2"},
        {"scopes": []},
        {"scopes": ["social:everything"]},
        {"expires_at": "2020-01-01 00:00"},
        {"name": "x" * 101},
        {"name": "a\u202eb"},
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(
    page: Client, owner: User, form: dict[str, object]
) -> None:
    assert made(page, owner, **form) == ""
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing(page: Client, owner: User) -> None:
    text = made(page, owner)
    key = ApiKey.objects.get()
    page.post(f"{LIST}{key.pk}/revoke/", {"reason": "leaked"})
    with pytest.raises(BadKeyError):
        find_key(text, team_id=owner.own_team.pk)
    assert [one.reason for one in events("api_key_revoked")] == ["leaked"]


def test_auditors_make_and_revoke_none(page: Client, auditors_page: Client, owner: User) -> None:
    made(page, owner)
    key = ApiKey.objects.get()
    assert auditors_page.get(f"{LIST}add/").status_code == 403
    assert auditors_page.post(f"{LIST}{key.pk}/revoke/", {"reason": "x"}).status_code == 403
    assert b">Revoke<" not in auditors_page.get(f"{LIST}{key.pk}/change/").content
    assert ApiKey.objects.get().revoked_at is None
