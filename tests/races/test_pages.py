"""The forms of people's pages, each sent four times at once."""

from functools import partial

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from connections_project.identity import urls as identity
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.pages import sessions
from connections_project.pages import urls as pages
from tests.conftest import PASSWORD
from tests.races.conftest import at_once
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

TIMES = 4
FORM = {"platform": "bank", "username": "owner@example.com", "password": PASSWORD}
NAMES = sorted(str(one.name) for one in (*pages.urlpatterns, *identity.urlpatterns))


@pytest.fixture
def browsers(owner: User, bank: Bank) -> list[Client]:
    made = [Client(raise_request_exception=False) for _ in range(TIMES)]
    made[0].force_login(owner)
    for one in made[1:]:
        one.cookies = made[0].cookies.copy()  # type: ignore[assignment]
    return made


def address(name: str, connection_id: object) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse(name, args=[connection_id])


@pytest.mark.parametrize("name", NAMES)
def test_every_form_sent_many_times_at_once(owner: User, browsers: list[Client], name: str) -> None:
    path = address(name, connection_of(owner).pk)
    link = sessions.begin(
        user=owner, made_by=owner, platforms=(), return_url="", origin=command_origin(None)
    )
    form = FORM | {"session": link.url.partition("session=")[2]}
    answers = at_once([partial(one.post, path, form) for one in browsers])
    assert max(one.status_code for one in answers) < 500
    # Or it takes no form.
    assert min(one.status_code for one in answers) < 400 or answers[0].status_code == 405
