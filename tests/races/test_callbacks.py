"""Callbacks beside each other."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.connections import flow
from connections_project.revocation.models import GrantHold
from providers.models import Connection, Status
from tests.races.conftest import PATIENCE, at_once
from tests.support.bank import Bank, call_back, connect, start
from tests.support.callback_browser import same_browser, visit
from tests.support.platform_server import Answer, Request

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]


@dataclass
class HesitantCache:
    """A cache at which all readers are handed their value in one moment."""

    barrier: threading.Barrier

    def get(self, key: str) -> Any:
        value = cache.get(key)
        self.barrier.wait(PATIENCE)
        return value

    def delete(self, key: str) -> bool:
        return cache.delete(key)


def test_of_many_callbacks_with_one_state_one_wins(
    bank: Bank,
    api: APIClient,
    make_clients: MakeClients,
    no_limits: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = start(api)
    monkeypatch.setattr(flow.states, "_cache", HesitantCache(threading.Barrier(8)))
    answers = at_once([partial(call_back, one, state) for one in make_clients(8)])
    assert sorted(one.status_code for one in answers) == [201] + [400] * 7
    refused = [one.json() for one in answers if one.status_code == 400]
    assert all(problem["type"].endswith("/invalid_state") for problem in refused)
    assert len(bank.token_requests("authorization_code")) == 1
    assert Connection.objects.count() == 1
    assert AuditEvent.objects.filter(action="provider_connected").count() == 1


@pytest.fixture
def together(bank: Bank) -> int:
    """Let the bank say whose account it is to all flows in one moment."""
    barrier = threading.Barrier(4)

    def identity(_: Request) -> Answer:
        barrier.wait(PATIENCE)
        return bank.identity()

    bank.server.on("GET", "/me", identity)
    return barrier.parties


def test_parallel_flows_make_one_connection(
    bank: Bank, together: int, api: APIClient, make_clients: MakeClients, no_limits: None
) -> None:
    clients = make_clients(together)
    states = [start(api) for _ in clients]
    pairs = zip(clients, states, strict=True)
    answers = at_once([partial(call_back, one, state) for one, state in pairs])
    assert [one.status_code for one in answers] == [201] * together
    assert len({one.json()["id"] for one in answers}) == 1
    assert Connection.objects.count() == GrantHold.objects.count() == 1
    _has_living_tokens(Connection.objects.get(), bank, given=together)


def _has_living_tokens(row: Connection, bank: Bank, *, given: int) -> None:
    """Check that all tokens but the row's own were revoked."""
    tokens = row.opened()
    revoked = {token for token in bank.revoked if token.startswith("refresh")}
    assert row.status == Status.ACTIVE
    assert revoked == {f"refresh-{n + 1}" for n in range(given)} - {tokens.refresh_token}
    assert tokens.access_token not in bank.revoked


def test_two_users_flows_make_a_connection_each(
    bank: Bank, api: APIClient, outsider: object, sign_in: Callable[..., APIClient]
) -> None:
    other = sign_in(outsider)
    first, second = start(api), start(other)
    answers = at_once([lambda: call_back(api, first), lambda: call_back(other, second)])
    assert [one.status_code for one in answers] == [201, 201]
    assert Connection.objects.filter(status=Status.ACTIVE).count() == 2
    assert bank.revoked == []


def test_reauthorising_and_disconnecting_end_cleanly(
    bank: Bank, api: APIClient, make_clients: MakeClients, no_limits: None
) -> None:
    connection = connect(api)
    state = start(api, connection_id=str(connection.pk))
    caller, ender = make_clients(2)
    answers = at_once(
        [
            lambda: call_back(caller, state),
            lambda: ender.delete(f"/api/v1/auth/{connection.pk}/disconnect"),
        ]
    )
    connection.refresh_from_db()
    assert answers[1].status_code == 200
    assert answers[0].status_code in {201, 400}
    assert (connection.status, connection.auth_state) == (Status.DISCONNECTED, None)
    issued = len(bank.server.requests_to("/token"))
    assert set(bank.revoked) == {
        f"{kind}-{number + 1}" for kind in ("access", "refresh") for number in range(issued)
    }


def test_a_callback_delivered_twice_at_once(bank: Bank, api: APIClient) -> None:
    state = start(api)
    browsers = [same_browser(api) for _ in range(2)]
    pages: list[Any] = at_once([partial(visit, browser, state) for browser in browsers])
    assert [page.status_code for page in pages] == [200, 200]
    assert Connection.objects.count() == 1
