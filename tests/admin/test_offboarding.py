"""Users go and come back in the admin: what goes with them is shown first, and a reason kept."""

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from connections_project.identity import sessions
from connections_project.identity.keys import create_key
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.identity.tokens import BadTokenError
from providers.models import Connection
from tests.support.admin_pages import text_of
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events

USERS = "/admin/identity/user/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(platforms: Bank, owner: User) -> Connection:
    schedule_of(channel_of(owner))
    return connection_of(owner)


def test_what_goes_is_shown_before_anything_is_done(
    page: Client, row: Connection, owner: User
) -> None:
    key = create_key(team=owner.own_team, scopes=["social:read"], origin=command_origin(None)).key
    text = text_of(page, f"{USERS}{owner.pk}/deactivate/")
    assert "providers 1 0 1 channels 1 1 1 social 0 0 0" in text
    assert f"own team end {key.prefix}" in text
    owner.refresh_from_db()
    assert owner.is_active


def test_a_deactivated_user_loses_all_connections(
    page: Client, row: Connection, owner: User, operator: User
) -> None:
    page.post(f"{USERS}{owner.pk}/deactivate/", {"reason": "left the company"})
    owner.refresh_from_db()
    row.refresh_from_db()
    assert (owner.is_active, row.status) == (False, "disconnected")
    (event,) = events("user_deactivated")
    assert (event.reason, event.actor_id, event.interface) == (
        "left the company", operator.pk, "admin",
    )  # fmt: skip
    text = text_of(page, f"{USERS}{owner.pk}/change/")
    assert f"user_deactivated by operator {operator.email} through admin" in text
    page.post(f"{USERS}{owner.pk}/reactivate/", {"reason": "came back"})
    owner.refresh_from_db()
    row.refresh_from_db()
    assert (owner.is_active, row.status) == (True, "disconnected")


def test_a_deleted_user_is_forgotten_but_kept(page: Client, row: Connection, owner: User) -> None:
    email = owner.email
    answer = page.post(f"{USERS}{owner.pk}/forget/", {"reason": "asked for it"}, follow=True)
    assert "2 disconnected" in answer.content.decode()
    assert email not in text_of(page, f"{USERS}{owner.pk}/change/")
    assert User.objects.filter(pk=owner.pk).exists()
    for action in ("deactivate", "forget", "reactivate"):
        assert page.get(f"{USERS}{owner.pk}/{action}/").status_code == 404


@pytest.mark.parametrize("action", ["deactivate", "forget", "reactivate"])
@pytest.mark.parametrize("reason", ["", " ", "x" * 513])
def test_without_a_sound_reason_nothing_is_done(
    page: Client, row: Connection, owner: User, action: str, reason: str
) -> None:
    assert page.post(f"{USERS}{owner.pk}/{action}/", {"reason": reason}).status_code == 200
    row.refresh_from_db()
    assert row.status == "active"
    assert not events("user_deactivated")


@pytest.mark.parametrize("action", ["deactivate", "forget", "reactivate"])
def test_auditors_see_no_button_and_are_refused(
    auditors_page: Client, owner: User, action: str
) -> None:
    assert "Deactivate" not in text_of(auditors_page, f"{USERS}{owner.pk}/change/")
    answer = auditors_page.post(f"{USERS}{owner.pk}/{action}/", {"reason": "x"})
    assert answer.status_code == 403
    owner.refresh_from_db()
    assert owner.is_active


def test_an_operator_shuts_out_no_other_operator(page: Client, auditor: User) -> None:
    assert page.post(f"{USERS}{auditor.pk}/deactivate/", {"reason": "x"}).status_code == 403
    auditor.refresh_from_db()
    assert auditor.is_active


def may_only(operator: User, *apps: str) -> None:
    """Leave an operator everything but the forced disconnects of the other apps."""
    wanted = [permission for permission in Permission.objects.filter(group__user=operator)
              if not permission.codename.startswith("force_disconnect")
              or permission.content_type.app_label in apps]  # fmt: skip
    operator.groups.clear()
    operator.user_permissions.set(wanted)


@pytest.mark.parametrize("action", ["deactivate", "forget"])
@pytest.mark.parametrize("apps", [(), ("providers",), ("channels", "social")])
def test_each_app_that_is_touched_needs_permission(
    page: Client, operator: User, row: Connection, owner: User, action: str, apps: tuple[str, ...]
) -> None:
    may_only(operator, *apps)
    for method in (page.get, page.post):
        answer = method(f"{USERS}{owner.pk}/{action}/", {"reason": "x"})
        assert answer.status_code == 403
    row.refresh_from_db()
    owner.refresh_from_db()
    assert (owner.is_active, row.status) == (True, "active")


@pytest.mark.parametrize("action", ["deactivate", "forget"])
def test_an_app_that_is_not_touched_needs_none(
    page: Client, operator: User, row: Connection, owner: User, action: str
) -> None:
    may_only(operator, "providers", "channels")
    page.post(f"{USERS}{owner.pk}/{action}/", {"reason": "x"})
    owner.refresh_from_db()
    assert not owner.is_active


def test_a_returning_user_has_no_old_session(
    page: Client, platforms: Bank, owner: User, api: APIClient
) -> None:
    browser = Client()
    browser.force_login(owner)
    pair = sessions.begin(owner)
    assert api.get("/api/v1/providers").status_code == 200
    page.post(f"{USERS}{owner.pk}/deactivate/", {"reason": "left"})
    page.post(f"{USERS}{owner.pk}/reactivate/", {"reason": "came back"})
    assert api.get("/api/v1/providers").status_code == 401
    assert not get_user(browser).is_authenticated
    with pytest.raises(BadTokenError):
        sessions.rotate(pair.refresh_token)
    owner.refresh_from_db()
    fresh = APIClient(HTTP_AUTHORIZATION=f"Bearer {sessions.begin(owner).access_token}")
    assert fresh.get("/api/v1/providers").status_code == 200
