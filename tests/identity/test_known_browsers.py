"""Whoever has signed in here before is not locked out by strangers who guess elsewhere."""

from collections.abc import Iterator

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from connections_project.identity.known_browsers import COOKIE, SECONDS
from connections_project.identity.login_attempts import TooManyAttemptsError, begin_attempt
from connections_project.identity.models import User
from tests.identity.conftest import EMAIL, PASSWORD

PAGES = {"/sign-in": "/sign-in", "/admin/login/": "/admin/login/"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, owner: User, settings: LazySettings) -> str:
    settings.ADMIN_TOTP_REQUIRED = False
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    return str(request.param)


def sign_in(client: Client, page: str, password: str = PASSWORD) -> int:
    return client.post(page, {"username": EMAIL, "password": password}).status_code


def strangers_guess() -> None:
    for number in range(100):
        begin_attempt(email=EMAIL, address=f"198.51.100.{number}")


def test_the_owners_browser_is_let_in(page: str) -> None:
    client = Client()
    assert sign_in(client, page) == 302
    strangers_guess()
    assert sign_in(Client(), page) == 429
    assert sign_in(client, page) == 302


def test_it_helps_with_no_other_e_mail(page: str, outsider: User) -> None:
    client = Client()
    answer = client.post("/sign-in", {"username": outsider.email, "password": PASSWORD})
    assert COOKIE in answer.cookies
    strangers_guess()
    assert sign_in(client, page) == 429


@pytest.mark.parametrize("change", ["x", "", "no"])
def test_a_cookie_that_is_none_of_ours_helps_nobody(page: str, change: str) -> None:
    client = Client()
    sign_in(client, page)
    client.cookies[COOKIE] = client.cookies[COOKIE].value + change if change == "x" else change
    strangers_guess()
    assert sign_in(client, page) == 429


def test_it_ends(page: str, clock: time_machine.Traveller) -> None:
    client = Client()
    sign_in(client, page)
    clock.shift(SECONDS + 60)
    strangers_guess()
    assert sign_in(client, page) == 429


def test_guessing_in_it_is_slow_as_well() -> None:
    for number in range(100):
        begin_attempt(email=EMAIL, address=f"198.51.100.{number}", browser="one")
    with pytest.raises(TooManyAttemptsError):
        begin_attempt(email=EMAIL, address="203.0.113.1", browser="one")
    begin_attempt(email=EMAIL, address="203.0.113.1", browser="another")
