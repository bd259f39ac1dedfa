"""A callback that is prefetched spends nothing; one that comes twice tells the first's outcome."""

from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from threading import Event
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from tests.identity.single_sign_on.conftest import Provider, start
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, Request

CALLBACK = "/admin/sso/callback"


def callback(client: Client, provider: Provider) -> dict[str, str]:
    return {"code": "the-code", "state": start(client, provider, "?next=/admin/audit/")["state"]}


def twin_of(client: Client) -> Client:
    """Return the same browser, as it sends what it sent before an answer came."""
    twin = Client()
    twin.cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    return twin


def refusals() -> list[str]:
    found = AuditEvent.objects.filter(action="login_failed")
    return [str(reason) for reason in found.values_list("reason", flat=True)]


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
def test_a_prefetch_spends_nothing(client: Client, provider: Provider, header: str) -> None:
    query = callback(client, provider)
    early = client.get(CALLBACK, query, headers={header: "prefetch;prerender"})
    assert (early.status_code, early["Cache-Control"]) == (503, "no-store")
    assert not AuditEvent.objects.exists()
    assert client.get(CALLBACK, query).status_code == 302


@pytest.mark.parametrize("is_slow", [True, False], ids=["with the old cookie", "afterwards"])
def test_the_second_is_led_where_the_first_was(
    client: Client, provider: Provider, is_slow: bool
) -> None:
    query = callback(client, provider)
    other = twin_of(client) if is_slow else client
    first, second = client.get(CALLBACK, query), other.get(CALLBACK, query)
    assert (second.status_code, second["Location"]) == (302, first["Location"])
    # What it tells opens nothing, and takes nothing from whoever is in.
    assert "sessionid" not in second.cookies
    assert (other.get("/admin/").status_code == 200) is not is_slow
    assert client.get("/admin/").status_code == 200
    assert not refusals()


def test_the_second_is_refused_as_the_first_was(client: Client, provider: Provider) -> None:
    query = {"error": "access_denied", "state": callback(client, provider)["state"]}
    first, second = (client.get(CALLBACK, query) for _ in range(2))
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.status_code == 403
    assert refusals() == ["declined"]


@pytest.mark.parametrize("where", ["backend.let_in", "views.record_operator"])
def test_a_fault_of_ours_leaves_nobody_waiting(
    client: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    query = callback(client, provider)
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(f"connections_project.identity.single_sign_on.{where}", _fail)
        first = client.get(CALLBACK, query)
    assert (first.status_code, "sessionid" in first.cookies) == (500, False)
    second = client.get(CALLBACK, query)
    assert (second.status_code, b"Start again" in second.content) == (500, True)
    assert client.get(CALLBACK, callback(client, provider)).status_code == 302


def _fail(*_: Any, **__: Any) -> None:
    raise RuntimeError


def test_an_outcome_is_told_in_its_browser_alone(client: Client, provider: Provider) -> None:
    query = callback(client, provider)
    client.get(CALLBACK, query)
    assert Client().get(CALLBACK, query).status_code == 403


def test_a_refused_code_is_no_outage(client: Client, provider: Provider) -> None:
    answer = client.get(CALLBACK, callback(client, provider) | {"code": "of another sign-in"})
    assert answer.status_code == 403
    assert b"Start again" in answer.content
    assert refusals() == ["bad_code"]


def test_a_refused_client_is_one(client: Client, provider: Provider) -> None:
    refused = Answer(401, json={"error": "invalid_client"})
    provider.issuer.server.on("POST", "/token", refused)
    assert client.get(CALLBACK, callback(client, provider)).status_code == 503


@pytest.mark.django_db(transaction=True)
def test_one_of_many_at_once_asks_the_provider(client: Client, provider: Provider) -> None:
    query = callback(client, provider)
    browsers = [twin_of(client) for _ in range(6)]

    def deliver(browser: Client) -> Any:
        return with_own_connection(lambda: browser.get(CALLBACK, query))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(deliver, browsers))
    assert len(provider.issuer.server.requests_to("/token")) == 1
    assert {answer.status_code for answer in answers} <= {302, 503}
    assert sum("sessionid" in answer.cookies for answer in answers) == 1
    assert not refusals()


@pytest.mark.django_db(transaction=True)
def test_one_under_way_is_said_to_be(client: Client, provider: Provider) -> None:
    query, other = callback(client, provider), twin_of(client)
    asked, done = Event(), Event()

    def slowly(request: Request) -> Answer:
        asked.set()
        done.wait(10)
        return provider.tokens(request)

    provider.issuer.server.on("POST", "/token", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(with_own_connection, lambda: client.get(CALLBACK, query))
        assert asked.wait(10)
        second = other.get(CALLBACK, query)
        done.set()
        assert first.result().status_code == 302
    assert (second.status_code, second["Retry-After"]) == (503, "1")
    assert b"under way" in second.content
    assert other.get(CALLBACK, query).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_tabs_that_begin_at_once_keep_their_states(client: Client, provider: Provider) -> None:
    start(client, provider)
    tabs = [twin_of(client) for _ in range(4)]

    def begin(tab: Client) -> Any:
        return with_own_connection(lambda: tab.get("/admin/sso"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, tabs))
    assert len(client.session["oidc_states"]) == 5
