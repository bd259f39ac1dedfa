"""A platform that fails at the exchange or at the look at the account: 502, and `failed`."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.oauth.deadline import allowing
from providers.models import Connection, Status
from tests.conftest import UseCatalogue
from tests.support.bank import Bank, call_back, connect, start
from tests.support.platform_server import Answer
from tests.support.provider_connecting import events, problem

TOKENS = {"access_token": "at", "refresh_token": "rt"}
FAILURES = {
    "timeout": (Answer(json=TOKENS, delay=30), "timeout"),
    "dripped headers": (Answer(json=TOKENS, drip_headers=0.05), "timeout"),
    "dripped body": (Answer(json=TOKENS, drip_body=0.05), "timeout"),
    "reset": (Answer(reset=True), "reset"),
    "cut": (Answer(json=TOKENS, cut_after=5), "reset"),
    "500": (Answer(500, body=b"<h1>at</h1>"), "server_error"),
    "503": (Answer(503), "unavailable"),
    "429": (Answer(429, headers={"Retry-After": "7"}), "rate_limited"),
    "307": (Answer(307, headers={"Location": "/elsewhere"}), "redirected"),
    "10 MB": (Answer(body=b"x" * 10_000_000), "too_large"),
    "no JSON": (Answer(body=b"access_token=at"), "malformed"),
    "no object": (Answer(json=[TOKENS]), "malformed"),
    "no access token": (Answer(json={"refresh_token": "rt"}), "malformed"),
    "bad access token": (Answer(json={"access_token": "a\nb"}), "malformed"),
    "invalid_grant": (Answer(400, json={"error": "invalid_grant"}), "refused"),
    "invalid_client": (Answer(401, json={"error": "invalid_client"}), "invalid_client"),
    "200 with an error": (Answer(json={"error": "bad_verification_code"}), "refused"),
}
WITH_TOKENS = [FAILURES[name][0] for name in ("no JSON", "no object", "no access token")]
each_failure = pytest.mark.parametrize(("failure", "code"), FAILURES.values(), ids=FAILURES)


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    """Wait for half a second where the product waits for ten."""
    with allowing(within=60.0, each=0.5):
        yield


@each_failure
def test_a_failed_exchange_is_502_and_a_failed_row(
    api: APIClient, bank: Bank, failure: Answer, code: str
) -> None:
    bank.server.on("POST", "/token", failure)
    started = time.monotonic()
    answer = call_back(api, start(api, alias="Mine"))
    assert time.monotonic() - started < 1.5
    assert problem(answer) == (502, "provider_error")
    row = Connection.objects.get()
    assert (row.status, row.alias, row.auth_state) == (Status.FAILED, "Mine", None)
    assert (row.connected_at, row.platform_account_id) == (None, None)
    assert bank.server.requests_to("/elsewhere") == []
    assert bank.server.requests_to("/me") == []
    (event,) = events()
    assert (event.action, event.outcome) == ("provider_connection_failed", "failure")
    # Tokens that can be read in an answer that can't be used go to the revoker.
    revoked = {"revocation": "pending"} if failure in WITH_TOKENS else {}
    details = {"platform": "bank", "error": code, **revoked}
    assert (event.subject_id, event.details) == (row.pk, details)


@each_failure
def test_a_failed_reauthorisation_changes_no_row(
    api: APIClient, bank: Bank, failure: Answer, code: str
) -> None:
    row = connect(api)
    before = Connection.objects.filter(pk=row.pk).values().get()
    bank.server.on("POST", "/token", failure)
    answer = call_back(api, start(api, connection_id=str(row.pk)))
    assert problem(answer) == (502, "provider_error")
    assert Connection.objects.values().get() == before
    assert events()[-1].details["error"] == code


def test_a_platform_that_is_not_there_answers_502(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue().replace(bank.server.url, "http://127.0.0.1:1"), "bank")
    assert problem(call_back(api, start(api))) == (502, "provider_error")
    assert events()[-1].details["error"] == "connect_error"


@pytest.mark.parametrize("code", ["a\nb", "ü", "a\rb"])
def test_a_code_that_no_platform_gives_is_not_sent(api: APIClient, bank: Bank, code: str) -> None:
    assert problem(call_back(api, start(api), code=code)) == (502, "provider_error")
    assert bank.server.requests == []


@pytest.mark.parametrize("missing", ["refresh_token", "expires_in", "token_type"])
def test_optional_token_fields_may_be_missing(api: APIClient, bank: Bank, missing: str) -> None:
    bank.server.on("POST", "/token", lambda _: bank.tokens(**{missing: None}))
    row = connect(api)
    assert row.status == Status.ACTIVE
    assert row.has_refresh_token is (missing != "refresh_token")
    assert (row.token_expires_at is None) is (missing == "expires_in")


def test_a_used_code_is_not_tried_twice(api: APIClient, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(reset=True), bank.tokens())
    assert call_back(api, start(api)).status_code == 502
    assert len(bank.server.requests_to("/token")) == 1


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Answer(500), "server_error"),
        (Answer(json={"sub": "x"}, delay=30), "timeout"),
        (Answer(body=b"nobody"), "malformed"),
        (Answer(json={"sub": "x" * 300}), "malformed"),
        (Answer(json={"sub": "a\0b"}), "malformed"),
        (Answer(307, headers={"Location": "/elsewhere"}), "redirected"),
    ],
)
def test_tokens_without_an_identity_are_revoked(
    api: APIClient,
    bank: Bank,
    django_capture_on_commit_callbacks: Any,
    failure: Answer,
    code: str,
) -> None:
    bank.server.on("GET", "/me", failure)
    state = start(api)
    with django_capture_on_commit_callbacks(execute=True):
        answer = call_back(api, state)
    assert problem(answer) == (502, "provider_error")
    row = Connection.objects.get()
    assert (row.status, row.auth_state) == (Status.FAILED, None)
    assert bank.revoked == ["refresh-1", "access-1"]
    assert [event.action for event in events()] == ["provider_connection_failed", "token_revoked"]
    assert events()[0].details == {"platform": "bank", "error": code, "revocation": "pending"}


def test_a_failed_identity_call_revokes_fresh_tokens(
    api: APIClient, bank: Bank, django_capture_on_commit_callbacks: Any
) -> None:
    row = connect(api)
    before = Connection.objects.filter(pk=row.pk).values().get()
    bank.server.on("GET", "/me", Answer(500))
    state = start(api, connection_id=str(row.pk))
    with django_capture_on_commit_callbacks(execute=True):
        assert call_back(api, state).status_code == 502
    assert Connection.objects.values().get() == before
    assert bank.revoked == ["refresh-2", "access-2"]


def test_a_fault_is_logged_without_the_body(
    api: APIClient, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    bank.server.on("POST", "/token", Answer(400, json={"error": "x", "hint": "the-code"}))
    state = start(api)
    with caplog.at_level(logging.DEBUG):
        answer = call_back(api, state)
    for secret in ("the-code", state, "client secret"):
        assert secret not in caplog.text
        assert secret not in answer.content.decode()
