"""The callback with a Bearer: it need not be sent, but if it is, it must be right."""

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from providers.models import Connection
from tests.conftest import SignIn
from tests.support.bank import Bank, call_back, start
from tests.support.provider_connecting import events, problem


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "bearer a.b.c"])
def test_a_bad_bearer_is_refused_and_keeps_the_state(
    api: APIClient, anonymous: APIClient, bank: Bank, header: str
) -> None:
    state = start(api)
    anonymous.credentials(HTTP_AUTHORIZATION=header)
    answer = call_back(anonymous, state)
    assert problem(answer) == (401, "unauthorized")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert call_back(api, state).status_code == 201


def test_a_deactivated_principals_bearer_is_a_bad_one(
    api: APIClient, bank: Bank, owner: User
) -> None:
    state = start(api)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert problem(call_back(api, state)) == (401, "unauthorized")


def test_a_strangers_bearer_consumes_the_state(
    api: APIClient, owner: User, outsider: User, sign_in: SignIn, bank: Bank
) -> None:
    state = start(api)
    assert problem(call_back(sign_in(outsider), state)) == (400, "invalid_state")
    assert problem(call_back(api, state)) == (400, "invalid_state")
    assert bank.server.requests == []
    assert not Connection.objects.exists()
    (event,) = events()
    assert (event.action, event.outcome) == ("provider_connection_failed", "failure")
    assert (event.actor_id, event.subject_owner_id) == (outsider.pk, owner.pk)
    assert event.details == {"platform": "bank", "error": "invalid_state"}


def test_a_teammates_bearer_is_somebody_elses_too(
    api: APIClient, teammate: User, sign_in: SignIn, bank: Bank
) -> None:
    assert problem(call_back(sign_in(teammate), start(api))) == (400, "invalid_state")


def test_another_scheme_is_no_bearer(api: APIClient, anonymous: APIClient, bank: Bank) -> None:
    state = start(api)
    anonymous.credentials(HTTP_AUTHORIZATION="Basic b3duZXI6cGFzc3dvcmQ=")
    assert call_back(anonymous, state).status_code == 201
