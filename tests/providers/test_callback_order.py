"""`POST /providers/callback`: in which order it looks, what keeps the state and what burns it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from rest_framework.test import APIClient

from connections_project.api import throttling
from connections_project.identity.models import User
from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.support.absent_redis import NO_REDIS
from tests.support.bank import Bank, call_back, start
from tests.support.provider_connecting import CALLBACK, events, problem, wrong_fields


def exchanges(bank: Bank) -> int:
    return len(bank.token_requests("authorization_code"))


def test_no_one_has_to_be_signed_in(api: APIClient, anonymous: APIClient, bank: Bank) -> None:
    assert call_back(anonymous, start(api)).status_code == 201


@pytest.mark.parametrize("query", [{}, {"code": ""}, {"error": ""}, {"iss": "https://a"}])
def test_a_missing_code_is_named_and_keeps_the_state(
    api: APIClient, bank: Bank, query: dict[str, str]
) -> None:
    state = start(api)
    answer = api.post(CALLBACK, query_params={"state": state, **query})
    assert wrong_fields(answer) == ["code"]
    assert call_back(api, state).status_code == 201


@pytest.mark.parametrize("query", [{"code": "c"}, {"code": "c", "state": ""}, {"error": "e"}])
def test_a_missing_state_is_named(anonymous: APIClient, bank: Bank, query: dict[str, str]) -> None:
    assert wrong_fields(anonymous.post(CALLBACK, query_params=query)) == ["state"]


def test_both_missing_are_both_named(anonymous: APIClient, bank: Bank) -> None:
    assert wrong_fields(anonymous.post(CALLBACK)) == ["code", "state"]


@pytest.mark.parametrize("field", ["code", "iss", "error", "other"])
def test_a_nul_is_refused_and_keeps_the_state(api: APIClient, bank: Bank, field: str) -> None:
    state = start(api)
    assert wrong_fields(call_back(api, state, **{field: "a\0b"})) == [field]
    assert call_back(api, state).status_code == 201


@pytest.mark.parametrize("state", ["unknown", "x" * 5000, "ünknown", "a b+c%"])
def test_an_unknown_state_is_refused(anonymous: APIClient, bank: Bank, state: str) -> None:
    assert problem(call_back(anonymous, state)) == (400, "invalid_state")
    assert bank.server.requests == []
    assert not Connection.objects.exists()


def test_a_used_state_is_refused(api: APIClient, bank: Bank) -> None:
    state = start(api)
    assert call_back(api, state).status_code == 201
    assert problem(call_back(api, state)) == (400, "invalid_state")
    assert exchanges(bank) == 1
    assert Connection.objects.count() == 1


def test_the_sixth_call_is_refused_keeping_the_state(
    api: APIClient, anonymous: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [start(api) for _ in range(5)]
    answer = call_back(anonymous, states[0])
    assert problem(answer) == (429, "rate_limit_exceeded")
    assert answer["X-RateLimit-Remaining"] == "0"
    assert int(answer["Retry-After"]) > 0
    assert exchanges(bank) == 0
    monkeypatch.setattr(throttling, "consume", lambda *_: None)
    assert call_back(anonymous, states[0]).status_code == 201


def test_an_unknown_state_counts_for_the_address(
    api: APIClient, anonymous: APIClient, bank: Bank
) -> None:
    answers = [call_back(anonymous, "unknown") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert call_back(anonymous, start(api)).status_code == 201


def test_a_suspension_meanwhile_consumes_the_state(api: APIClient, bank: Bank) -> None:
    state = start(api)
    call_command("suspend_platform", "bank", reason="breach")
    assert problem(call_back(api, state, error="access_denied")) == (503, "provider_unavailable")
    call_command("resume_platform", "bank")
    assert problem(call_back(api, state)) == (400, "invalid_state")
    assert exchanges(bank) == 0
    assert not Connection.objects.exists()


def test_a_removed_platform_is_not_found(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    state = start(api)
    use_catalogue("", "bank")
    assert problem(call_back(api, state)) == (404, "not_found")
    assert not Connection.objects.exists()


@pytest.mark.parametrize("query", [{}, {"code": ""}, {"iss": "https://elsewhere.example"}])
def test_a_declined_consent_writes_no_row(
    api: APIClient, bank: Bank, query: dict[str, str]
) -> None:
    state = start(api)
    answer = call_back(api, state, error="access_denied", **query)
    assert problem(answer) == (400, "authorization_declined")
    assert not Connection.objects.exists()
    assert bank.server.requests == []
    assert problem(call_back(api, state)) == (400, "invalid_state")


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable", "<script>"])
def test_no_word_of_the_platforms_error_comes_back(api: APIClient, bank: Bank, error: str) -> None:
    answer = call_back(api, start(api), error=error, error_description="<b>evil</b>")
    assert problem(answer) == (400, "authorization_declined")
    assert error not in answer.content.decode()
    assert "evil" not in answer.content.decode()


def test_a_deactivated_principal_burns_the_state(
    api: APIClient, anonymous: APIClient, bank: Bank, owner: User
) -> None:
    state = start(api)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    # Before the look at what the platform answered.
    assert problem(call_back(anonymous, state, error="e")) == (400, "invalid_state")
    User.objects.filter(pk=owner.pk).update(is_active=True)
    assert problem(call_back(anonymous, state)) == (400, "invalid_state")
    assert bank.server.requests == []
    (event,) = events("provider_connection_failed")
    assert event.subject_owner_id == owner.pk


def test_without_a_cache_the_state_is_kept(
    api: APIClient, bank: Bank, settings: LazySettings
) -> None:
    state = start(api)
    caches = settings.CACHES
    settings.CACHES = {**caches, "default": NO_REDIS}
    assert problem(call_back(api, state)) == (503, "service_unavailable")
    assert exchanges(bank) == 0
    settings.CACHES = caches
    assert call_back(api, state).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_callbacks_at_once_exactly_one_goes_on(api: APIClient, bank: Bank) -> None:
    state = start(api)

    def call_back_elsewhere(_: int) -> int:
        try:
            status: int = call_back(APIClient(), state).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(call_back_elsewhere, range(4)))
    assert statuses == [201, 400, 400, 400]
    assert exchanges(bank) == 1
    assert Connection.objects.count() == 1
