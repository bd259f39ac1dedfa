"""The callback page against planted links: whose browser it is decides."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.test import Client
from rest_framework.test import APIClient

from connections_project.connections.browser import COOKIE
from connections_project.identity.models import User
from providers.models import Connection
from tests.conftest import PASSWORD, SignIn
from tests.support.bank import Bank, call_back, start
from tests.support.callback_browser import SIGN_IN, heading, same_browser, visit
from tests.support.provider_connecting import events, problem

SOMEBODY_ELSE = "You are signed in as somebody else"


@pytest.fixture
def another(db: None) -> Client:
    """A browser in which nothing was started and nobody is signed in."""
    return Client()


def untouched(bank: Bank) -> bool:
    return not bank.server.requests and not Connection.objects.exists()


def test_a_planted_link_only_asks_a_question(api: APIClient, bank: Bank, another: Client) -> None:
    state = start(api)
    page = visit(another, state)
    assert (page.status_code, heading(page)) == (400, SIGN_IN)
    assert untouched(bank)
    assert not another.cookies
    # Nothing was popped: the browser in which it was started completes it.
    assert visit(same_browser(api), state).status_code == 200


@pytest.mark.parametrize("query", [{"error": "access_denied"}, {"iss": "https://evil.example"}])
def test_any_planted_link_asks_the_same_question(
    api: APIClient, bank: Bank, another: Client, query: dict[str, str]
) -> None:
    state = start(api)
    assert heading(visit(another, state, **query)) == SIGN_IN
    assert call_back(api, state).status_code == 201


def test_the_cookie_of_another_flow_does_not_help(
    api: APIClient, bank: Bank, outsider: User, sign_in: SignIn
) -> None:
    victim = sign_in(outsider)
    start(victim)
    assert heading(visit(same_browser(victim), start(api))) == SIGN_IN
    assert untouched(bank)


@pytest.mark.parametrize("value", ["", "x" * 43, "guess", "\x01"])
def test_a_made_up_cookie_does_not_help(
    api: APIClient, bank: Bank, another: Client, value: str
) -> None:
    another.cookies[COOKIE] = value
    assert heading(visit(another, start(api))) == SIGN_IN


def test_signing_in_elsewhere_completes_it(
    api: APIClient, bank: Bank, another: Client, owner: User
) -> None:
    link = sign_in_link(visit(another, start(api)))
    form = another.get(link)
    answer = another.post(
        "/sign-in",
        {"username": owner.email, "password": PASSWORD, "next": next_of(form)},
        follow=True,
    )
    assert (answer.status_code, heading(answer)) == (200, "Bank is connected")
    assert Connection.objects.get().user == owner
    assert events("provider_connected")[0].actor_id == owner.pk


@pytest.mark.parametrize("sealed", ["", "nonsense", "gAAAAA"])
def test_a_tampered_return_address_is_ignored(bank: Bank, another: Client, sealed: str) -> None:
    page = another.get("/oauth/callback/bank", {"sealed": sealed})
    assert (page.status_code, heading(page)) == (400, "This link is incomplete")


def test_a_wrong_password_completes_nothing(
    api: APIClient, bank: Bank, another: Client, owner: User
) -> None:
    form = another.get(sign_in_link(visit(another, start(api))))
    filled = {"username": owner.email, "password": "wrong", "next": next_of(form)}
    assert another.post("/sign-in", filled, follow=True).status_code == 200
    assert untouched(bank)


@pytest.mark.parametrize("bears_cookie", [False, True])
def test_another_users_session_consumes_the_state(
    api: APIClient, owner: User, outsider: User, bank: Bank, bears_cookie: bool
) -> None:
    state = start(api)
    browser = same_browser(api) if bears_cookie else Client()
    browser.force_login(outsider)
    page = visit(browser, state)
    assert (page.status_code, heading(page)) == (403, SOMEBODY_ELSE)
    assert untouched(bank)
    assert problem(call_back(api, state)) == (400, "invalid_state")
    (event,) = events()
    assert (event.action, event.outcome) == ("provider_connection_failed", "failure")
    assert (event.actor_id, event.subject_owner_id) == (outsider.pk, owner.pk)
    assert event.details == {"platform": "bank", "error": "invalid_state"}


def test_another_user_and_unknown_state_is_expired(
    outsider: User, bank: Bank, another: Client
) -> None:
    another.force_login(outsider)
    assert visit(another, "unknown").status_code == 400


def test_a_deactivated_session_counts_for_nothing(
    api: APIClient, owner: User, bank: Bank, another: Client
) -> None:
    state = start(api)
    another.force_login(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert get_user(another).is_anonymous
    assert heading(visit(another, state)) == SIGN_IN


def test_a_principal_deactivated_midway_is_refused(api: APIClient, owner: User, bank: Bank) -> None:
    state = start(api)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    page = visit(same_browser(api), state)
    assert (page.status_code, heading(page)) == (400, "This link is no longer good")
    assert untouched(bank)


def test_two_flows_of_one_browser_both_end_well(api: APIClient, bank: Bank) -> None:
    first, second = start(api), start(api)
    browser = same_browser(api)
    assert visit(browser, second).status_code == 200
    bank.account_id = "customer-8"
    assert visit(browser, first).status_code == 200
    assert Connection.objects.count() == 2


def sign_in_link(page: Any) -> str:
    match = re.search(r'href="(/sign-in[^"]*)"', page.content.decode())
    assert match
    return unescape(match[1])


def next_of(page: Any) -> str:
    match = re.search(r'name="next" value="([^"]*)"', page.content.decode())
    assert match
    return unescape(match[1])
