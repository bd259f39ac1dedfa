"""Refreshes beside each other: a refresh token is spent once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from providers.models import Connection, Status
from tests.races.conftest import Gate, Takers, at_once, meanwhile
from tests.support.bank import Bank, call_back, connect, start
from tests.support.platform_server import Answer

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]


@pytest.fixture
def connection(bank: Bank, api: APIClient, no_limits: None) -> Connection:
    """A connection whose access token is near its end."""
    connection = connect(api)
    now = timezone.now()
    Connection.objects.filter(pk=connection.pk).update(
        token_issued_at=now - timedelta(minutes=30), token_expires_at=now + timedelta(seconds=20)
    )
    return connection


def refresh(client: APIClient, connection: Connection, *, force: bool = True) -> Any:
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    return client.post(path, {"force": force}, format="json")


@pytest.mark.parametrize("force", [True, False])
def test_twenty_refreshes_spend_the_token_once(
    connection: Connection, bank: Bank, make_clients: MakeClients, takers: Takers, force: bool
) -> None:
    def after_all_have_come(_: object) -> Answer:
        takers.wait_for(20)
        return bank.tokens()

    bank.server.on("POST", "/token", after_all_have_come)
    answers = at_once([partial(refresh, one, connection, force=force) for one in make_clients(20)])
    assert [one.status_code for one in answers] == [201] * 20
    assert len({(one.json()["expires_at"], one.json()["message"]) for one in answers}) == 1
    assert [one.form["refresh_token"] for one in bank.token_requests("refresh_token")] == [
        "refresh-1"
    ]
    assert AuditEvent.objects.filter(action="provider_token_refreshed").count() == 1


@pytest.mark.parametrize("failure", [Answer(503), Answer(400, json={"error": "invalid_grant"})])
def test_a_leader_that_fails_fails_for_all_who_follow(
    connection: Connection, bank: Bank, make_clients: MakeClients, takers: Takers, failure: Answer
) -> None:
    def after_all_have_come(_: object) -> Answer:
        takers.wait_for(10)
        return failure

    bank.server.on("POST", "/token", after_all_have_come)
    answers = at_once([partial(refresh, one, connection) for one in make_clients(10)])
    assert [one.status_code for one in answers] == [502] * 10
    assert len(bank.token_requests("refresh_token")) == 1
    assert AuditEvent.objects.filter(action="provider_token_refresh_failed").count() == 1


def test_after_a_failed_refresh_the_next_leads(
    connection: Connection, bank: Bank, api: APIClient
) -> None:
    bank.server.on("POST", "/token", Answer(reset=True))
    assert refresh(api, connection).status_code == 502
    bank.open()
    assert refresh(api, connection).status_code == 201


def test_a_sync_uses_the_parallel_refreshs_token(
    connection: Connection, bank: Bank, make_clients: MakeClients, token_gate: Gate, takers: Takers
) -> None:
    syncing, refreshing = make_clients(2)
    body = {"connection_id": str(connection.pk)}
    with meanwhile(lambda: refresh(refreshing, connection)) as refreshed:
        takers.wait_for(1)
        with meanwhile(lambda: syncing.post("/api/v1/accounts/syncs", body, format="json")) as sync:
            takers.wait_for(2)
            token_gate.is_open.set()
    assert (refreshed.result().status_code, sync.result().status_code) == (201, 201)
    assert token_gate.visitors == 1
    read = bank.server.requests_to("/accounts")
    assert [one.headers["Authorization"] for one in read] == ["Bearer access-2"]


def test_a_lease_of_a_dead_process_runs_out(
    connection: Connection, api: APIClient, bank: Bank
) -> None:
    ends = timezone.now() + timedelta(seconds=0.4)
    Connection.objects.filter(pk=connection.pk).update(
        refresh_lease=connection.pk, refresh_leased_until=ends
    )
    assert refresh(api, connection).status_code == 201
    assert timezone.now() >= ends
    assert len(bank.token_requests("refresh_token")) == 1


def test_an_overlong_refresh_is_not_waited_for(
    connection: Connection, api: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections_project.connections.refresh.WAIT_SECONDS", 0.3)
    ends = timezone.now() + timedelta(seconds=60)
    Connection.objects.filter(pk=connection.pk).update(
        refresh_lease=connection.pk, refresh_leased_until=ends
    )
    assert refresh(api, connection).status_code == 503
    assert bank.token_requests("refresh_token") == []


def test_a_reauthorisation_wins_over_a_refresh(
    connection: Connection, bank: Bank, make_clients: MakeClients, token_gate: Gate
) -> None:
    caller, refreshing = make_clients(2)
    state = start(caller, connection_id=str(connection.pk))
    with meanwhile(lambda: refresh(refreshing, connection)) as refreshed:
        token_gate.wait_for_visitor()
        bank.server.on("POST", "/token", lambda _: bank.tokens())
        assert call_back(caller, state).status_code == 201
        token_gate.is_open.set()
    assert refreshed.result().status_code == 201
    connection.refresh_from_db()
    assert connection.status == Status.ACTIVE
    assert connection.opened().refresh_token == "refresh-3"
    assert {"refresh-2", "access-2"} <= set(bank.revoked)
    assert not {"refresh-3", "access-3"} & set(bank.revoked)
