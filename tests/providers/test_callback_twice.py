"""A callback that nobody has followed yet, and one that is delivered twice."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from connections_project.connections import flow, outcomes
from connections_project.identity.models import User
from providers import connect
from providers.models import Connection
from tests.support.bank import Bank, call_back, start
from tests.support.callback_browser import SIGN_IN, heading, same_browser, visit
from tests.support.provider_connecting import events, problem

GONE = "This link is no longer good"

PURPOSES = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "Prefetch"},
]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_prefetch_spends_nothing(api: APIClient, bank: Bank, purpose: dict[str, str]) -> None:
    state, browser = start(api), same_browser(api)
    query = {"code": "the-code", "state": state}
    page = browser.get("/oauth/callback/bank", query, headers=purpose)
    assert (page.status_code, page["Cache-Control"]) == (503, "no-store")
    assert not bank.server.requests
    assert visit(browser, state).status_code == 200
    assert Connection.objects.count() == 1


def test_the_second_delivery_shows_the_first_ones_outcome(api: APIClient, bank: Bank) -> None:
    state, browser = start(api), same_browser(api)
    first = visit(browser, state)
    asked = len(bank.server.requests)
    second = visit(browser, state)
    assert (second.status_code, heading(second)) == (200, heading(first))
    assert len(bank.server.requests) == asked
    assert Connection.objects.count() == 1


def test_a_refusal_is_shown_again_too(api: APIClient, bank: Bank) -> None:
    state, browser = start(api), same_browser(api)
    first = visit(browser, state, code="", error="access_denied")
    second = visit(browser, state)
    assert first.status_code == second.status_code == 400
    assert heading(second) == heading(first) == "Access was not granted"
    assert len(events("provider_connection_failed")) == 1


def test_no_another_learns_the_outcome(
    api: APIClient, bank: Bank, outsider: User, owner: User
) -> None:
    state = start(api)
    assert visit(same_browser(api), state).status_code == 200
    another = Client()
    assert (visit(another, state).status_code, heading(visit(another, state))) == (
        400,
        GONE,
    )
    another.force_login(owner)
    assert heading(visit(another, state)) == GONE


def test_another_platforms_address_tells_nothing(api: APIClient, bank: Bank) -> None:
    state, browser = start(api), same_browser(api)
    visit(browser, state)
    assert heading(visit(browser, state, slug="schwab")) == GONE


def test_after_ten_minutes_it_is_forgotten(api: APIClient, bank: Bank) -> None:
    state, browser = start(api), same_browser(api)
    visit(browser, state)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=601)):
        assert heading(visit(browser, state)) == GONE


def test_the_json_callback_stays_at_400(api: APIClient, bank: Bank) -> None:
    state = start(api)
    assert call_back(api, state).status_code == 201
    assert problem(call_back(api, state))[0] == 400


def test_a_question_is_no_outcome(api: APIClient, bank: Bank) -> None:
    state = start(api)
    assert heading(visit(Client(), state)) == SIGN_IN
    assert visit(same_browser(api), state).status_code == 200


def test_a_reload_waits_a_second_at_most(api: APIClient, bank: Bank) -> None:
    state, browser = start(api), same_browser(api)
    preview = flow.peek(state)
    assert preview is not None
    # As a process leaves it that was killed while it asked the platform.
    outcomes.begin(state, preview)
    flow.consume(app="providers", state=state)
    began = time.monotonic()
    page = visit(browser, state)
    assert (page.status_code, page["Retry-After"]) == (503, "1")
    assert 0.9 < time.monotonic() - began < 5
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert heading(visit(browser, state)) == GONE


def test_nobody_waits_for_a_flow_that_crashed(
    api: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, browser = start(api), same_browser(api)
    with monkeypatch.context() as patch:
        patch.setattr(connect, "exchange_and_identify", crash)
        assert visit(browser, state).status_code == 500
    monkeypatch.setattr(outcomes, "LONGEST_WAIT_SECONDS", 30.0)
    began = time.monotonic()
    assert heading(visit(browser, state)) == GONE
    assert time.monotonic() - began < 10


def crash(*_: object, **__: object) -> None:
    raise RuntimeError


def test_an_outcome_is_no_state(api: APIClient, bank: Bank) -> None:
    state, browser = start(api), same_browser(api)
    visit(browser, state)
    assert flow.peek(f"outcome of {state}") is flow.peek(state) is None
