"""What the audit log records of connecting: who, through which entry point, under which trace."""

import json
import logging
from dataclasses import asdict
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.connections import flow
from connections_project.connections.errors import InvalidStateError
from connections_project.connections.flow import Answer, Flow
from connections_project.identity.models import User
from tests.support.bank import Bank, call_back, connect, start
from tests.support.provider_connecting import CALLBACK, begin, events, problem

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_the_states_principal_is_the_actor(
    api: APIClient, anonymous: APIClient, owner: User, bank: Bank
) -> None:
    state = start(api)
    query = {"state": state, "code": "the-code"}
    answer = anonymous.post(CALLBACK, query_params=query, headers={"traceparent": TRACEPARENT})
    assert answer["X-Trace-Id"] == TRACE
    (event,) = events()
    assert (event.action, event.outcome) == ("provider_connected", "success")
    assert (event.actor_type, event.actor_id, event.interface) == ("user", owner.pk, "api")
    assert (event.subject_type, event.subject_owner_id) == ("providers.connection", owner.pk)
    assert str(event.subject_id) == answer.json()["id"]
    assert (event.trace_id, event.client_address) == (TRACE, "127.0.0.1")
    assert event.details == {"platform": "bank", "reauthorised": False}


@pytest.mark.parametrize(
    ("query", "error"),
    [({"error": "access_denied"}, "authorization_declined"), ({}, "platform_unavailable")],
)
def test_a_refusal_names_principal_not_connection(
    api: APIClient,
    anonymous: APIClient,
    owner: User,
    bank: Bank,
    query: dict[str, str],
    error: str,
) -> None:
    state = start(api)
    if not query:
        call_command("suspend_platform", "bank", reason="breach")
    call_back(anonymous, state, **query)
    (event,) = events("provider_connection_failed")
    assert (event.outcome, event.actor_id, event.subject_id) == ("failure", owner.pk, None)
    assert event.subject_owner_id == owner.pk
    assert event.details == {"platform": "bank", "error": error}


def test_a_service_accounts_refusal_is_its_own(
    service_account: User, sign_in: Any, anonymous: APIClient, bank: Bank
) -> None:
    state = start(sign_in(service_account))
    call_back(anonymous, state, error="access_denied")
    (event,) = events()
    assert (event.actor_type, event.actor_id) == ("service", service_account.pk)


def test_a_replaced_tokens_revocation_has_the_trace(
    api: APIClient, bank: Bank, django_capture_on_commit_callbacks: Any
) -> None:
    connect(api)
    state = start(api)
    with django_capture_on_commit_callbacks(execute=True):
        answer = call_back(api, state)
    (revoked,) = events("token_revoked")
    assert revoked.trace_id == answer["X-Trace-Id"]


def test_an_unknown_state_writes_no_event(anonymous: APIClient, bank: Bank) -> None:
    call_back(anonymous, "unknown")
    assert events() == []


def test_a_state_of_another_app_is_refused_and_burnt(
    api: APIClient, owner: User, bank: Bank
) -> None:
    state = start(api)
    with pytest.raises(InvalidStateError):
        flow.consume(app="channels", state=state)
    assert problem(call_back(api, state)) == (400, "invalid_state")
    assert bank.server.requests == []


def test_no_secret_in_log_audit_or_answer(
    api: APIClient,
    bank: Bank,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with caplog.at_level(logging.DEBUG), django_capture_on_commit_callbacks(execute=True):
        started = begin(api).json()
        answers = [call_back(api, started["state"]), call_back(api, started["state"])]
        connect(api)
    verifiers = [one.form["code_verifier"] for one in bank.token_requests("authorization_code")]
    secrets = [
        started["state"], "the-code", "client secret", *verifiers,
        "access-1", "refresh-1", "access-2", "refresh-2",
    ]  # fmt: skip
    written = caplog.text + json.dumps(list(AuditEvent.objects.values()), default=str)
    written += "".join(answer.content.decode() for answer in answers)
    assert bank.revoked == ["refresh-1", "access-1"]
    assert [secret for secret in secrets if secret in written] == []


def test_no_repr_shows_a_code_or_a_verifier(owner: User) -> None:
    flowing = Flow("providers", "bank", owner.pk, "https://a", "the-verifier", {})
    assert "the-verifier" not in repr(flowing)
    assert asdict(flowing)["code_verifier"] == "the-verifier"
    assert "the-code" not in repr(Answer("the-code"))


def test_no_repr_shows_a_state(api: APIClient, bank: Bank, owner: User) -> None:
    started = flow.begin(
        app="providers", slug="bank", principal=owner, redirect_uri=None, browser="b", details={}
    )
    assert started.state not in repr(started)
