"""`GET /oauth/callback/{slug}`: what the page says of each ending, and what it never shows."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from connections_project.api import throttling
from connections_project.connections.browser import COOKIE
from providers.models import Connection, Status
from tests.conftest import UseCatalogue
from tests.support.absent_redis import NO_REDIS
from tests.support.bank import ISSUER, Bank, call_back, connect, start
from tests.support.callback_browser import heading, same_browser, visit
from tests.support.platform_server import Answer

GONE = "This link is no longer good"
INCOMPLETE = "This link is incomplete"


def test_it_completes_the_flow_and_says_so(api: APIClient, bank: Bank) -> None:
    state = start(api, alias="Mine")
    page = visit(same_browser(api), state)
    assert (page.status_code, heading(page)) == (200, "Bank is connected")
    row = Connection.objects.get()
    assert (row.status, row.alias) == (Status.ACTIVE, "Mine")


def test_a_reauthorisation_is_completed_too(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    state = start(api, connection_id=str(row.pk))
    assert visit(same_browser(api), state).status_code == 200
    row.refresh_from_db()
    assert row.opened().access_token == "access-2"


def test_another_account_is_shown(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    bank.account_id = "customer-8"
    page = visit(same_browser(api), start(api, connection_id=str(row.pk)))
    assert (page.status_code, heading(page)) == (400, "This is another account")


def test_a_declined_consent_is_shown(api: APIClient, bank: Bank) -> None:
    state = start(api)
    page = visit(same_browser(api), state, code="", error="access_denied")
    assert (page.status_code, heading(page)) == (400, "Access was not granted")
    assert not Connection.objects.exists()


def test_a_wrong_issuer_is_shown_and_nothing_sent(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(more=f'issuer = "{ISSUER}"'), "bank")
    page = visit(same_browser(api), start(api), iss="https://evil.example.com")
    assert (page.status_code, heading(page)) == (400, "This answer comes from somebody else")
    assert bank.server.requests == []


def test_a_failed_exchange_is_shown(api: APIClient, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(500))
    page = visit(same_browser(api), start(api))
    assert page.status_code == 502
    assert heading(page) == "The platform did not complete the connection"
    assert Connection.objects.get().status == Status.FAILED


def test_a_suspended_platform_is_shown(api: APIClient, bank: Bank) -> None:
    state = start(api)
    call_command("suspend_platform", "bank", reason="breach")
    page = visit(same_browser(api), state)
    assert (page.status_code, heading(page)) == (503, "This platform can't be used at the moment")


def test_without_a_cache_connecting_is_impossible(
    api: APIClient, bank: Bank, settings: LazySettings
) -> None:
    state = start(api)
    settings.CACHES = {**settings.CACHES, "default": NO_REDIS}
    page = visit(same_browser(api), state)
    assert page.status_code == 503
    assert heading(page) == "Connecting is not possible at the moment"


@pytest.mark.parametrize("state", ["unknown", "x" * 4000, "ü"])
def test_an_unknown_state_is_no_longer_good(client: Client, bank: Bank, state: str) -> None:
    page = visit(client, state)
    assert (page.status_code, heading(page)) == (400, GONE)


def test_a_used_state_is_no_longer_good(api: APIClient, bank: Bank) -> None:
    state = start(api)
    browser = same_browser(api)
    visit(browser, state)
    # The browser's own second delivery is not one (test_callback_twice.py).
    del browser.cookies[COOKIE]
    assert heading(visit(browser, state)) == GONE
    assert Connection.objects.count() == 1


@pytest.mark.parametrize("query", [{"code": ""}, {"code": None}])
def test_a_missing_code_keeps_the_state(api: APIClient, bank: Bank, query: Any) -> None:
    state = start(api)
    page = visit(same_browser(api), state, **query)
    assert (page.status_code, heading(page)) == (400, INCOMPLETE)
    assert call_back(api, state).status_code == 201


@pytest.mark.parametrize("state", ["", None])
def test_a_missing_state_is_incomplete(client: Client, bank: Bank, state: str | None) -> None:
    page = visit(client, state)
    assert (page.status_code, heading(page)) == (400, INCOMPLETE)


def test_a_nul_in_the_code_keeps_the_state(api: APIClient, bank: Bank) -> None:
    state = start(api)
    assert visit(same_browser(api), state, code="a\0b").status_code == 400
    assert call_back(api, state).status_code == 201


def test_another_platforms_state_is_not_taken(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue() + bank.catalogue("other"), "bank", "other")
    state = start(api)
    page = visit(same_browser(api), state, slug="other")
    assert (page.status_code, heading(page)) == (400, GONE)
    assert bank.server.requests == []
    assert call_back(api, state).status_code == 201


def test_an_unknown_platform_has_no_page(client: Client, bank: Bank) -> None:
    assert visit(client, "state", slug="nobody").status_code == 404


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
def test_other_methods_are_refused_and_keep_the_state(
    api: APIClient, bank: Bank, method: str
) -> None:
    state = start(api)
    browser = same_browser(api)
    answer = getattr(browser, method)(
        "/oauth/callback/bank", query_params={"code": "c", "state": state}
    )
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert visit(browser, state).status_code == 200


def test_the_sixth_visit_within_a_minute_has_to_wait(
    api: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [start(api) for _ in range(5)]
    browser = same_browser(api)
    page = visit(browser, states[0])
    assert (page.status_code, heading(page)) == (429, "Too many tries")
    assert int(page["Retry-After"]) > 0
    assert (page["X-RateLimit-Limit"], page["X-RateLimit-Remaining"]) == ("5", "0")
    monkeypatch.setattr(throttling, "consume", lambda *_: None)
    assert visit(browser, states[0]).status_code == 200


@pytest.mark.parametrize("query", [{}, {"error": "access_denied"}, {"state": "unknown"}])
def test_every_page_keeps_code_and_state_to_itself(
    api: APIClient, bank: Bank, query: dict[str, str]
) -> None:
    page = visit(same_browser(api), **{"state": start(api), **query})
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "DENY"


def test_no_token_is_shown_no_third_party_asked(api: APIClient, bank: Bank) -> None:
    state = start(api)
    page = visit(same_browser(api), state)
    text = page.content.decode()
    for secret in (state, "the-code", "access-1", "refresh-1"):
        assert secret not in text
    assert all(address.startswith("/") for address in addresses(text))


def test_nothing_of_the_query_is_repeated_on_the_page(api: APIClient, bank: Bank) -> None:
    evil = "<script>alert(1)</script>"
    page = visit(same_browser(api), start(api), error=evil, error_description=evil)
    assert "alert" not in page.content.decode()


class Addresses(HTMLParser):
    """Collects every address that a page leads to or asks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "action"}]


def addresses(html: str) -> list[str]:
    parser = Addresses()
    parser.feed(html)
    assert parser.found
    return parser.found
