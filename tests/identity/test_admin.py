"""Principals and teams in the admin."""

from uuid import UUID

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from connections_project.core.ids import uuid7
from connections_project.identity.models import PrincipalType, Team, User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from tests.identity.conftest import EMAIL, PASSWORD
from tests.support.page_forms import filled, form_of

USERS = "/admin/identity/user/"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operator@example.com", PASSWORD)


@pytest.fixture
def admin(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def test_no_page_shows_anything_of_a_password(admin: Client, owner: User) -> None:
    for path in (USERS, f"{USERS}{owner.pk}/change/"):
        page = admin.get(path).content.decode()
        assert EMAIL in page
        assert owner.password not in page
        assert owner.password.rpartition("$")[2] not in page


def test_a_changed_password_keeps_the_session_it_was_changed_in(
    admin: Client, operator: User
) -> None:
    other = Client()
    other.force_login(operator)
    new = "another horse battery"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert admin.post("/admin/password_change/", typed).status_code == 302
    assert [one.get("/admin/").status_code for one in (admin, other)] == [200, 302]
    operator.refresh_from_db()
    assert operator.sessions_ended_at is not None


def test_no_tick_deactivates_a_principal(admin: Client, owner: User) -> None:
    admin.post(f"{USERS}{owner.pk}/change/", {"email": EMAIL})
    owner.refresh_from_db()
    assert owner.is_active


def test_a_change_is_audited_by_field_names(admin: Client, owner: User, operator: User) -> None:
    form = {"email": "new@example.com", "is_staff": "on"}
    assert admin.post(f"{USERS}{owner.pk}/change/", form).status_code == 302
    event = AuditEvent.objects.get(action="user_changed")
    assert (event.actor_id, event.subject_id) == (operator.pk, owner.pk)
    assert event.details == {"changed": ["email", "is_staff"]}


def test_a_service_account_cannot_be_made_staff(admin: Client) -> None:
    service = User.objects.create_user("bot@x.org", principal_type=PrincipalType.SERVICE)
    form = {"email": "bot@x.org", "is_active": "on", "is_staff": "on"}
    page = admin.post(f"{USERS}{service.pk}/change/", form)
    assert "A service account is never staff." in page.content.decode()


def test_an_e_mail_differing_only_in_case_is_taken(admin: Client, owner: User) -> None:
    form = {"email": "OPERATOR@example.com", "is_active": "on"}
    page = admin.post(f"{USERS}{owner.pk}/change/", form)
    assert "already exists" in page.content.decode()


def test_principals_are_neither_made_nor_deleted_here(admin: Client, owner: User) -> None:
    assert admin.get(f"{USERS}add/").status_code == 403
    assert admin.post(f"{USERS}{owner.pk}/delete/", {"post": "yes"}).status_code == 403


def test_no_operator_grants_more_than_it_has(client: Client, db: None) -> None:
    clerk = User.objects.create_user("clerk@x.org", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="identity"))
    client.force_login(clerk)
    form = {"email": "clerk@x.org", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(f"{USERS}{clerk.pk}/change/", form).status_code == 302
    clerk.refresh_from_db()
    assert not clerk.is_superuser


def test_a_form_of_before_brings_no_address_back(admin: Client, owner: User) -> None:
    address = owner.email
    offboarding.forget(owner, reason="Art. 17", origin=command_origin(None))
    admin.post(f"{USERS}{owner.pk}/change/", {"email": address})
    assert User.objects.get(pk=owner.pk).is_forgotten


def test_a_team_takes_members(admin: Client, owner: User) -> None:
    form = {
        "name": "Press",
        "row_id": str(uuid7()),
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": str(owner.pk),
    }
    assert admin.post("/admin/identity/team/add/", form).status_code == 302
    assert list(Team.objects.get(name="Press").members.all()) == [owner]
    event = AuditEvent.objects.get(action="team_changed")
    assert event.details == {"members": [str(owner.pk)], "changed": ["name"]}


def test_a_team_is_made_once(admin: Client) -> None:
    page = "/admin/identity/team/add/"
    form = filled(form_of(admin.get(page).content.decode()) or {}, {"name": "Press"})
    (row_id,) = form["row_id"]
    expected = f"/admin/identity/team/{row_id}/change/"
    for _ in range(2):
        assert admin.post(page, form)["Location"] == expected
    said = admin.get(expected).content.decode()
    assert "made once" in said
    assert "secret" not in said
    assert Team.objects.filter(name="Press").count() == 1
    assert admin.post(expected, {**form, "name": "Print"}).status_code == 302
    assert Team.objects.get(name="Print").pk == UUID(row_id)


def test_a_team_form_without_its_id_makes_none(admin: Client) -> None:
    answer = admin.post("/admin/identity/team/add/", {"name": "Press"})
    assert b"Open this page anew." in answer.content
    assert not Team.objects.filter(name="Press").exists()


def test_shared_teams_are_not_drowned(admin: Client, owner: User) -> None:
    Team.objects.create(name="Press")

    def names(**query: str) -> list[str]:
        rows = admin.get("/admin/identity/team/", query).context["cl"].result_list
        return [team.name for team in rows]

    assert names() == ["Press"]
    assert owner.own_team.name in names(kind="own")
    assert "Press" not in names(kind="own")
    assert {"Press", owner.own_team.name} <= set(names(kind="all"))
    assert names(q=owner.own_team.name) == [owner.own_team.name]


def test_the_lists_take_the_same_queries_however_long(admin: Client) -> None:
    counts = []
    for number in range(2):
        User.objects.create_user(f"{number}@example.com")
        with CaptureQueriesContext(connection) as queries:
            admin.get(USERS)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_admin_form_limits_guesses_as_the_api(client: Client, operator: User) -> None:
    form = {"username": operator.email, "password": "wrong"}
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        for _ in range(5):
            client.post("/admin/login/", form)
        page = client.post("/admin/login/", form | {"password": PASSWORD})
        assert page.status_code == 429
        assert "_auth_user_id" not in client.session


def test_an_operator_comes_in_by_the_admins_own_form(client: Client, operator: User) -> None:
    form = {"username": operator.email, "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).headers["Location"] == "/admin/"


def test_a_member_is_not_added_twice(admin: Client, owner: User, outsider: User) -> None:
    """By a page, say, that was loaded before somebody else added them."""
    team = Team.objects.create(name="Press")
    form = {
        "name": "Press",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-team": str(team.pk),
        "memberships-0-user": str(outsider.pk),
    }
    answers = [admin.post(f"/admin/identity/team/{team.pk}/change/", form) for _ in range(2)]
    assert [one.status_code for one in answers] == [302, 200]
    assert "already exists" in answers[1].content.decode()


def test_a_local_person_keeps_an_address(admin: Client, owner: User) -> None:
    answer = admin.post(f"{USERS}{owner.pk}/change/", {"email": ""})
    assert (answer.status_code, b"This field is required" in answer.content) == (200, True)


def test_a_person_of_an_issuer_gets_none_here(admin: Client) -> None:
    person = User(issuer="https://login.example.com", subject="kim", email=None)
    person.set_unusable_password()
    person.save()
    admin.post(f"{USERS}{person.pk}/change/", {"email": "kim@example.com"})
    person.refresh_from_db()
    assert person.email is None


@pytest.mark.parametrize("key", ["1", "nonsense", "01a2120c-fa6a-714b-b031-524c651f63d2"])
def test_rows_have_no_page_outside_the_admin(admin: Client, key: str) -> None:
    kind = ContentType.objects.get_for_model(User)
    assert admin.get(f"/admin/r/{kind.pk}/{key}/").status_code == 404
