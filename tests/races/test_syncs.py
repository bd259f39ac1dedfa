"""A disconnect beside a sync that has much to store: it waits for no more than a batch."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from providers import storing
from providers.models import Account, Connection, Status, Transaction
from providers.storing import still_active
from tests.races.conftest import PATIENCE, Gate, at_once, meanwhile, wait_until
from tests.support.bank import ACCOUNT, TRANSACTION, Bank, connect
from tests.support.platform_server import Answer
from tests.support.provider_syncing import set_accounts, sync

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]


@dataclass
class Batches:
    """Holds a sync back before one of its batches: the first has the accounts."""

    held: int
    begun: int = 0
    is_open: threading.Event = field(default_factory=threading.Event)

    def __call__(self, connection_id: UUID) -> AbstractContextManager[Connection]:
        self.begun += 1
        if self.begun == self.held:
            assert self.is_open.wait(PATIENCE)
        return still_active(connection_id)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Batches:
    """Hold a sync back before its second batch of transactions."""
    batches = Batches(held=3)
    monkeypatch.setattr(storing, "still_active", batches)
    return batches


def listed(size: int, *, name: str = "tx") -> Answer:
    return Answer(
        json={"transactions": [{**TRANSACTION, "id": f"{name}-{n}"} for n in range(size)]}
    )


def disconnect(client: APIClient, connection: Connection) -> int:
    return client.delete(f"/api/v1/auth/{connection.pk}/disconnect").status_code


def assert_stored(connection: Connection, transactions: int) -> None:
    """Assert that so much was stored and nothing after it, and that this is what is told."""
    assert Transaction.objects.count() == transactions
    connection.refresh_from_db()
    assert (connection.status, connection.last_sync_at) == (Status.DISCONNECTED, None)
    event = AuditEvent.objects.get(action="provider_data_synced")
    assert (event.outcome, event.details["error"]) == ("failure", "not_active")
    assert event.details["accounts"]["created"] == Account.objects.count()


def test_a_disconnect_between_two_batches_is_the_end(
    bank: Bank, api: APIClient, make_clients: MakeClients, batches: Batches
) -> None:
    connection = connect(api)
    bank.server.on("GET", "/accounts/acc-1/transactions", listed(storing.BATCH * 2 + 500))
    (syncing,) = make_clients(1)
    with meanwhile(lambda: sync(syncing, connection.pk)) as synced:
        wait_until(lambda: batches.begun == batches.held)
        assert disconnect(api, connection) == 200
        batches.is_open.set()
    assert synced.result().status_code == 403
    assert_stored(connection, storing.BATCH)


def test_a_disconnect_while_the_next_account_is_read_is_the_end(
    bank: Bank, api: APIClient, make_clients: MakeClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "BATCH", 10)
    connection, gate = connect(api), Gate(lambda: listed(10, name="late"))
    set_accounts(bank, ACCOUNT, {**ACCOUNT, "id": "acc-2"})
    bank.server.on("GET", "/accounts/acc-1/transactions", listed(15))
    bank.server.on("GET", "/accounts/acc-2/transactions", gate)
    (syncing,) = make_clients(1)
    with meanwhile(lambda: sync(syncing, connection.pk)) as synced:
        gate.wait_for_visitor()
        # What is stored is there for all to see, as it comes.
        assert len(api.get("/api/v1/accounts").json()["data"]) == 2
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert synced.result().status_code == 403
    assert_stored(connection, 10)


def test_syncs_beside_each_other_store_the_same_once(
    bank: Bank, api: APIClient, make_clients: MakeClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "BATCH", 10)
    connection = connect(api)
    entries = [{**ACCOUNT, "id": f"acc-{number}"} for number in range(4)]
    set_accounts(bank, *entries)
    for entry in entries:
        bank.server.on("GET", f"/accounts/{entry['id']}/transactions", listed(25))

    def synced(client: APIClient) -> Any:
        answer = sync(client, connection.pk, force=True)
        assert answer.status_code == 201, answer.content
        return answer.json()

    counts = at_once([partial(synced, one) for one in make_clients(4)])
    assert sum(one["created"] for one in counts) == Account.objects.count() == 4
    assert sum(one["errors"] for one in counts) == 0
    assert Transaction.objects.count() == 100
