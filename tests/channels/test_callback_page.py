"""`/oauth/callback/{slug}` completes channels through the same verbs."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.identity.models import User
from tests.support.callback_browser import SIGN_IN, heading, same_browser, visit
from tests.support.channel_errors import refusal
from tests.support.chirp import Chirp, call_back, connect, start
from tests.support.platform_server import Answer
from tests.support.provider_rows import events


def test_it_completes_the_flow_and_says_so(api: APIClient, chirp: Chirp) -> None:
    page = visit(same_browser(api), start(api), slug="chirp")
    assert (page.status_code, heading(page)) == (200, "Chirp is connected")
    assert ChannelConnection.objects.get().status == "connected"


def test_an_already_connected_account_is_shown(api: APIClient, chirp: Chirp) -> None:
    row = connect(api)
    page = visit(same_browser(api), start(api), slug="chirp")
    assert (page.status_code, heading(page)) == (200, "This account is connected already")
    row.refresh_from_db()
    assert row.opened().access_token == "access-2"


def test_failures_are_shown(api: APIClient, chirp: Chirp) -> None:
    state = start(api)
    page = visit(same_browser(api), state, slug="chirp", code="", error="access_denied")
    assert (page.status_code, heading(page)) == (400, "Access was not granted")
    chirp.server.on("POST", "/token", Answer(500))
    page = visit(same_browser(api), start(api), slug="chirp")
    assert page.status_code == 502
    assert not ChannelConnection.objects.exists()


def test_a_planted_link_only_asks_a_question(api: APIClient, chirp: Chirp) -> None:
    state = start(api)
    page = visit(Client(), state, slug="chirp")
    assert (page.status_code, heading(page)) == (400, SIGN_IN)
    assert chirp.server.requests == []
    assert call_back(api, state).status_code == 201


@pytest.mark.parametrize("bears_cookie", [False, True])
def test_another_users_session_consumes_the_state(
    api: APIClient, owner: User, outsider: User, chirp: Chirp, bears_cookie: bool
) -> None:
    state = start(api)
    browser = same_browser(api) if bears_cookie else Client()
    browser.force_login(outsider)
    page = visit(browser, state, slug="chirp")
    assert (page.status_code, heading(page)) == (403, "You are signed in as somebody else")
    assert chirp.server.requests == []
    assert refusal(call_back(api, state)) == (400, "INVALID_STATE")
    (event,) = events("CHANNEL_CONNECTION_FAILED")
    assert (event.actor_id, event.subject_owner_id) == (outsider.pk, owner.pk)
