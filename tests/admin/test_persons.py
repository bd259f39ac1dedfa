"""A person's page: the connections of all apps, and what else lets the person in."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections_project.identity import sessions
from connections_project.identity.keys import create_key
from connections_project.identity.models import Scope, Team, User
from connections_project.identity.origins import command_origin
from connections_project.operations.offboarding import deactivate
from tests.conftest import UseCatalogue
from tests.pages.test_disconnect import CHIRP, GALLERY
from tests.support.admin_pages import job_of, text_of
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db


def at(user: User) -> str:
    return f"/admin/identity/user/{user.pk}/change/"


def test_connections_of_all_apps_are_listed(
    bank: Bank, use_catalogue: UseCatalogue, page: Client, owner: User
) -> None:
    use_catalogue(bank.catalogue() + CHIRP + GALLERY, "bank", "chirp", "gallery")
    live, over = connection_of(owner), connection_of(owner, status="disconnected", account_id="2")
    job_of(over, "abandoned")
    channel, account = channel_of(owner, status="error"), account_of(owner.own_team)
    shown = text_of(page, at(owner))
    assert "Providers: 2 active 1 disconnected 1" in shown
    assert "Channels: 1 error 1" in shown
    assert "Social accounts: 1 active 1" in shown
    assert "given up" in shown
    html = page.get(at(owner)).content.decode()
    for row in (live, over, channel, account):
        assert f"/{row._meta.model_name}/{row.pk}/change/" in html


def test_a_long_list_is_a_link_away(bank: Bank, page: Client, owner: User) -> None:
    for number in range(21):
        connection_of(owner, account_id=str(number))
    html = page.get(at(owner)).content.decode()
    assert f'<a href="/admin/providers/connection/?q={owner.pk}">All 21</a>' in html
    assert "21 provider connections" in text_of(
        page, "/admin/providers/connection/", q=str(owner.pk)
    )


def test_more_rows_take_no_more_queries(bank: Bank, page: Client, owner: User) -> None:
    connection_of(owner)
    # The first time Django reads its content types, and keeps them.
    page.get(at(owner))
    with CaptureQueriesContext(
        connection,
    ) as few:
        page.get(at(owner))
    for number in range(10):
        connection_of(owner, account_id=str(number))
    with CaptureQueriesContext(connection) as many:
        page.get(at(owner))
    assert len(many) == len(few)


def test_sessions_and_keys_are_shown(page: Client, owner: User) -> None:
    sessions.begin(owner)
    key = create_key(
        team=owner.own_team, name="poster", scopes=Scope.values, origin=command_origin(None)
    )
    shown = text_of(page, at(owner))
    assert "Signed in 1 time at the API" in shown
    assert "API keys of these teams" in shown
    assert "poster" in shown
    assert key.text not in shown


def test_pickers_of_permissions_are_for_operators(
    client: Client, owner: User, operator: User, service_account: User
) -> None:
    boss = User.objects.create_superuser("boss@example.com", "x")
    client.force_login(boss)
    assert 'name="user_permissions"' not in client.get(at(owner)).content.decode()
    assert 'name="user_permissions"' in client.get(at(service_account)).content.decode()
    assert 'name="groups"' in client.get(at(operator)).content.decode()


def only(client: Client, *codenames: str) -> Client:
    """Return the admin of somebody who may see users, and what else is named."""
    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", *codenames]))
    client.force_login(clerk)
    return client


# What needs which permission to be shown.
SHOWN = {
    "view_apikey": "poster",
    "view_team": "Press",
    "view_sessionfamily": "Signed in 1 time",
    "view_auditevent": "What was done to this user",
    "view_connection": "Providers: 1",
}


@pytest.mark.parametrize("held", [None, *SHOWN])
def test_each_part_needs_its_permission(client: Client, bank: Bank, owner: User, held: str) -> None:
    team = Team.objects.create(name="Press")
    team.memberships.create(user=owner)
    create_key(team=team, name="poster", scopes=Scope.values, origin=command_origin(None))
    sessions.begin(owner)
    connection_of(owner)
    shown = text_of(only(client, *([held] if held else [])), at(owner))
    assert str(owner.email) in shown
    assert {one for one, words in SHOWN.items() if words in shown} == ({held} - {None})


@pytest.mark.parametrize(
    ("held", "parts"),
    [
        ((), set[str]()),
        (("view_auditevent",), {"Timeline"}),
        (("view_revocationjob",), {"Revocations at the platform"}),
    ],
)
def test_so_it_is_on_a_connections_page(
    client: Client, bank: Bank, owner: User, held: tuple[str, ...], parts: set[str]
) -> None:
    row = connection_of(owner)
    shown = text_of(
        only(client, "view_connection", *held), f"/admin/providers/connection/{row.pk}/change/"
    )
    assert "Grant" in shown
    assert {one for one in ("Timeline", "Revocations at the platform") if one in shown} == parts


def test_a_leavers_receipt_needs_the_permissions_of_what_it_names(
    client: Client, owner: User
) -> None:
    deactivate(owner, reason="left", origin=command_origin(None))
    page, file = only(client), f"/admin/identity/user/{owner.pk}/leaver-receipt/"
    assert "Leaver receipt" not in text_of(page, at(owner))
    assert page.get(file).status_code == 403
    models = ("apikey", "connection", "channelconnection", "socialaccount")
    held = Permission.objects.filter(codename__in=[f"view_{one}" for one in models])
    User.objects.get(email="clerk@example.com").user_permissions.add(*held)
    assert "Leaver receipt" in text_of(page, at(owner))
    assert page.get(file).status_code == 200


def test_keys_that_go_are_named_to_who_may_see_them(client: Client, owner: User) -> None:
    create_key(team=owner.own_team, name="poster", scopes=Scope.values, origin=command_origin(None))
    path = f"/admin/identity/user/{owner.pk}/deactivate/"
    page = only(client, "change_user")
    assert "poster" not in text_of(page, path)
    User.objects.get(email="clerk@example.com").user_permissions.add(
        Permission.objects.get(codename="view_apikey")
    )
    assert "poster" in text_of(page, path)


def test_what_others_tokens_came_to_is_not_shown_as_the_connections(
    bank: Bank, page: Client, owner: User
) -> None:
    job_of(connection_of(owner, status="disconnected"), "revoked", replaced_or_late=True)
    assert "revoked there" not in text_of(page, at(owner))
    assert "revoked there" not in text_of(page, "/admin/providers/connection/")
