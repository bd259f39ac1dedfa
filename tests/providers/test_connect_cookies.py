"""The cookie of the starting call, which ties the flow to its browser."""

from http.cookies import Morsel
from typing import Any

from django.conf import LazySettings
from rest_framework.test import APIClient

from tests.support.bank import Bank
from tests.support.provider_connecting import begin

NAME = "__Host-oauth_flow"


def test_the_start_sets_a_host_only_cookie(api: APIClient, bank: Bank) -> None:
    cookie: Morsel[str] = begin(api).cookies[NAME]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 600
    # The prefix asks for this path and no domain (RFC 6265bis, section 4.1.3.2).
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_it_lives_as_long_as_the_state(api: APIClient, bank: Bank, settings: LazySettings) -> None:
    settings.OAUTH_STATE_SECONDS = 30
    answer = begin(api)
    assert answer.cookies[NAME]["max-age"] == 30
    assert answer.json()["expires_in"] == 30


def test_two_tabs_of_a_browser_share_it(api: APIClient, bank: Bank) -> None:
    assert value(begin(api)) == value(begin(api))


def test_other_browsers_get_another(api: APIClient, bank: Bank) -> None:
    first = value(begin(api))
    api.cookies.clear()
    assert len(first) == 43
    assert value(begin(api)) != first


def test_a_value_that_can_not_be_ours_is_replaced(api: APIClient, bank: Bank) -> None:
    api.cookies[NAME] = "guessable"
    assert value(begin(api)) != "guessable"


def value(answer: Any) -> str:
    text: str = answer.cookies[NAME].value
    return text
