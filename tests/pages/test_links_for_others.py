"""A link opened where somebody else is signed in: nobody is taken for another without a yes."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.pages import sessions
from connections_project.pages.models import ConnectSession
from connections_project.pages.visitor import COOKIE
from tests.conftest import PASSWORD
from tests.support.bank import Bank
from tests.support.person_pages import words

pytestmark = pytest.mark.django_db


def link_for(user: User) -> str:
    """Return the path of a link to somebody's page."""
    link = sessions.begin(
        user=user, made_by=user, platforms=(), return_url="", origin=command_origin(None)
    )
    return "/connections" + link.url.partition("/connections")[2]


def token_of(path: str) -> str:
    return path.partition("session=")[2]


def test_it_asks_before_it_shows_anothers_page(page: Client, owner: User, outsider: User) -> None:
    asked = page.get(link_for(outsider))
    assert asked.status_code == 200
    assert f"This link is for {outsider.email}" in words(asked)
    assert f"You are signed in as {owner.email}" in words(asked)
    assert COOKIE not in asked.cookies
    assert asked["Cache-Control"] == "no-store"
    # The address bears the token; and the form needs an Origin.
    assert asked["Referrer-Policy"] == "strict-origin"
    assert owner.email in words(page.get("/connections"))


def test_the_question_uses_nothing_up(page: Client, outsider: User) -> None:
    path = link_for(outsider)
    page.get(path)
    assert ConnectSession.objects.get().browser_sha256 is None
    assert not AuditEvent.objects.filter(action="connect_session_opened").exists()
    assert Client().get(path).status_code == 302


def test_who_goes_on_sees_the_others_page(page: Client, owner: User, outsider: User) -> None:
    path = link_for(outsider)
    answer = page.post("/connections/open", {"session": token_of(path)})
    assert (answer.status_code, answer["Location"]) == (302, "/connections")
    shown = words(page.get("/connections"))
    assert outsider.email in shown
    assert owner.email not in shown
    # Now it is the other's page already.
    assert page.get(path).status_code == 302


def test_going_on_is_the_persons_own_act(owner: User, outsider: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    path = link_for(outsider)
    assert browser.post("/connections/open", {"session": token_of(path)}).status_code == 403
    form = browser.get(path).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert found is not None
    sent = {"session": token_of(path), "csrfmiddlewaretoken": found[1]}
    assert browser.post("/connections/open", sent).status_code == 302


def test_the_own_link_is_opened_at_once(page: Client, owner: User) -> None:
    assert page.get(link_for(owner)).status_code == 302


def test_who_came_by_a_link_is_asked_too(owner: User, outsider: User) -> None:
    browser = Client()
    browser.get(link_for(owner))
    asked = words(browser.get(link_for(outsider)))
    assert f"You came here as {owner.email}" in asked
    assert owner.email in words(browser.get("/connections"))


def test_a_link_that_is_over_leaves_who_is_signed_in(
    page: Client, owner: User, outsider: User
) -> None:
    page.get(link_for(owner))
    with time_machine.travel(timezone.now() + timedelta(seconds=1801), tick=False):
        asked = words(page.get(link_for(outsider)))
        assert f"You are signed in as {owner.email}" in asked


def test_a_link_that_is_over_asks_nothing(page: Client, outsider: User) -> None:
    path = link_for(outsider)
    Client().get(path)
    assert page.get(path).status_code == 410
    assert page.post("/connections/open", {"session": token_of(path)}).status_code == 410
    assert page.post("/connections/open").status_code == 410


def test_a_prefetch_asks_nothing(page: Client, outsider: User) -> None:
    path = link_for(outsider)
    assert page.get(path, headers={"Sec-Purpose": "prefetch"}).status_code == 503


def test_the_page_says_whose_it_is(bank: Bank, outsider: User) -> None:
    browser = Client()
    browser.get(link_for(outsider))
    said = f"What you connect here belongs to {outsider.email}."
    assert said in words(browser.get("/connections"))


def test_somebody_without_an_address_is_named_all_the_same(bank: Bank, page: Client) -> None:
    person = User(issuer="https://login.example.com", subject="kim", email=None)
    person.set_unusable_password()
    person.save()
    path = link_for(person)
    assert "This link is for kim" in words(page.get(path))
    page.post("/connections/open", {"session": token_of(path)})
    assert "What you connect here belongs to kim." in words(page.get("/connections"))


def test_it_asks_in_german(page: Client, outsider: User) -> None:
    asked = page.get(link_for(outsider), headers={"Accept-Language": "de"})
    assert f"Dieser Link ist für {outsider.email}." in words(asked)


def sign_in(browser: Client, user: User) -> None:
    form = {"username": user.email or "", "password": PASSWORD, "next": "/connections"}
    assert browser.post("/sign-in", form).status_code == 302


def test_a_later_sign_in_counts_more(owner: User, outsider: User) -> None:
    browser, path = Client(), link_for(outsider)
    browser.get(path)
    sign_in(browser, owner)
    shown = words(browser.get("/connections"))
    assert owner.email in shown
    assert outsider.email not in shown
    assert f"You are signed in as {owner.email}" in words(browser.get(path))
    browser.post("/connections/open", {"session": token_of(path)})
    assert outsider.email in words(browser.get("/connections"))


def test_the_own_link_outlasts_a_sign_in(bank: Bank, owner: User) -> None:
    browser = Client()
    browser.get(link_for(owner))
    sign_in(browser, owner)
    assert "What you connect here belongs to" in words(browser.get("/connections"))


def test_a_sign_in_leaves_a_link_that_is_over(owner: User, outsider: User) -> None:
    browser = Client()
    browser.get(link_for(outsider))
    with time_machine.travel(timezone.now() + timedelta(seconds=1801), tick=False):
        assert browser.get("/connections").status_code == 410
        sign_in(browser, owner)
        assert owner.email in words(browser.get("/connections"))
