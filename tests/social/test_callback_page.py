"""`GET /oauth/callback/{slug}` for teams' flows: who may go on, and what the page says."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from connections_project.identity.models import Team, User
from social.models import SocialAccount
from tests.social.conftest import KeyClient
from tests.support.callback_browser import SIGN_IN, heading, same_browser, visit
from tests.support.gallery import Gallery, connect, disconnect, start
from tests.support.provider_rows import events


def as_user(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_it_completes_the_flow_and_says_so(api: APIClient, gallery: Gallery) -> None:
    page = visit(same_browser(api), start(api), slug="gallery")
    assert (page.status_code, heading(page)) == (200, "Gallery is connected")
    assert SocialAccount.objects.get().is_active


def test_accounts_that_stay_inactive_are_shown(
    api: APIClient, gallery: Gallery, unlimited: None
) -> None:
    gallery.accounts = ["7", "8"]
    for row in connect(api):
        disconnect(api, row)
    page = visit(same_browser(api), start(api), slug="gallery")
    assert (page.status_code, heading(page)) == (200, "Nothing was connected")


def test_a_program_s_flow_asks_the_person_to_sign_in(
    with_key: KeyClient, team: Team, gallery: Gallery
) -> None:
    page = visit(Client(), start(with_key(team)), slug="gallery")
    assert (page.status_code, heading(page)) == (400, SIGN_IN)
    assert gallery.server.requests == []


@pytest.mark.parametrize("who", ["owner", "teammate"])
def test_any_member_of_the_team_goes_on_with_it(
    request: pytest.FixtureRequest, with_key: KeyClient, team: Team, gallery: Gallery, who: str
) -> None:
    member: User = request.getfixturevalue(who)
    page = visit(as_user(member), start(with_key(team)), slug="gallery")
    assert (page.status_code, heading(page)) == (200, "Gallery is connected")
    assert SocialAccount.objects.get().team == team


def test_an_outsider_burns_it(
    with_key: KeyClient, team: Team, outsider: User, gallery: Gallery
) -> None:
    state = start(with_key(team))
    page = visit(as_user(outsider), state, slug="gallery")
    assert (page.status_code, heading(page)) == (403, "You are signed in as somebody else")
    assert visit(as_user(outsider), state, slug="gallery").status_code == 400
    assert gallery.server.requests == []
    (event,) = events("account_connection_failed")
    assert event.actor_id == outsider.pk


def test_a_member_s_flow_is_that_member_s_alone(
    api: APIClient, teammate: User, gallery: Gallery
) -> None:
    page = visit(as_user(teammate), start(api), slug="gallery")
    assert page.status_code == 403
    assert not SocialAccount.objects.exists()
