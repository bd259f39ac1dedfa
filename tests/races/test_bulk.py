"""Many disconnects at once, beside each other and beside whatever is under way."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.models import AuditEvent
from audit.record import Origin
from connections_project.connections.disconnect import DisconnectResult
from connections_project.identity.models import User
from connections_project.operations.engine import Engine
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions, Result
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, Gate, at_once, meanwhile, wait_until
from tests.support.bank import Bank, call_back, connect, start
from tests.support.provider_rows import connection_of

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

WHY = DisconnectOptions("breach")
ORIGIN = Origin(ActorType.OPERATOR, None, Interface.COMMAND)


def force(*rows: Connection, batch_size: int = 1000) -> Result:
    ids = [row.pk for row in rows]
    return force_disconnect("providers", ids, WHY, origin=ORIGIN, batch_size=batch_size)


def recorded(action: str) -> Counter[Any]:
    events = AuditEvent.objects.filter(action=action)
    return Counter(events.values_list("subject_id", flat=True))


@pytest.fixture
def shared(bank: Bank, use_catalogue: UseCatalogue, owner: User, outsider: User) -> Any:
    """Two connections on one grant, which a revocation would end."""
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")
    return [connection_of(user) for user in (owner, outsider)]


@pytest.mark.parametrize("_", range(3))
def test_the_last_two_in_two_batches_are_revoked_once(shared: list[Connection], _: int) -> None:
    one, two = at_once([lambda row=row: force(row) for row in shared])  # type: ignore[misc]
    assert (one.disconnected, two.disconnected) == (1, 1)
    assert one.revocations + two.revocations == RevocationJob.objects.count() == 1
    assert not GrantHold.objects.exists()


@pytest.mark.parametrize("_", range(3))
def test_batch_and_owner_revoke_exactly_once(
    shared: list[Connection], make_clients: Callable[[int], list[APIClient]], _: int
) -> None:
    (client,) = make_clients(1)
    theirs, other = shared
    path = f"/api/v1/auth/{theirs.pk}/disconnect"
    at_once([lambda: client.delete(path), lambda: force(other)])
    assert RevocationJob.objects.count() == 1
    assert not GrantHold.objects.exists()


def test_two_of_the_same_selection_end_each_once(owner: User, bank: Bank) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(40)]
    backwards = list(reversed(rows))
    results = at_once([lambda: force(*rows, batch_size=7), lambda: force(*backwards, batch_size=5)])
    assert sum(one.disconnected for one in results) == 40
    assert all(one.processed == 40 and not one.failures for one in results)
    for action in ("provider_disconnected", "connection_force_disconnected"):
        assert recorded(action) == Counter(row.pk for row in rows)
    assert RevocationJob.objects.count() == 40


def test_owners_disconnects_cause_no_deadlock(
    owner: User, bank: Bank, make_clients: Callable[[int], list[APIClient]], no_limits: None
) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(12)]
    clients = make_clients(4)

    def by_hand(client: APIClient, mine: list[Connection]) -> Result:
        for row in mine:
            assert client.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
        return Result()

    calls = [
        lambda client=client, mine=rows[index::4]: by_hand(client, mine)
        for index, client in enumerate(clients)
    ]
    at_once([*calls, lambda: force(*rows)])
    assert recorded("provider_disconnected") == Counter(row.pk for row in rows)
    assert RevocationJob.objects.count() == 12


@pytest.mark.skipif(database.vendor == "sqlite", reason="SQLite locks no rows")
def test_a_locked_row_delays_no_other(owner: User, bank: Bank) -> None:
    held, free = (connection_of(owner, account_id=name) for name in ("held", "free"))
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Connection.objects.select_for_update().get(pk=held.pk)
            locked.set()
            assert release.wait(PATIENCE)

    with meanwhile(hold):
        assert locked.wait(PATIENCE)
        with meanwhile(lambda: force(held, free)) as forcing:
            wait_until(lambda: Connection.objects.get(pk=free.pk).status == "disconnected")
            assert not forcing.done()
            release.set()
    assert forcing.result().disconnected == 2


def test_a_refresh_loses_and_its_tokens_are_revoked(
    bank: Bank, api: APIClient, token_gate: Gate
) -> None:
    token_gate.is_open.set()
    row = connect(api)
    token_gate.is_open.clear()
    token_gate.visitors = 0
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    with meanwhile(lambda: api.post(path, {"force": True}, format="json")) as refreshed:
        token_gate.wait_for_visitor()
        assert force(row).disconnected == 1
        token_gate.is_open.set()
    assert refreshed.result().status_code == 403
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    # Those of the row, and those that came too late.
    assert {"refresh-1", "refresh-2"} <= set(bank.revoked)


def test_a_callback_loses_and_its_tokens_are_revoked(
    bank: Bank, api: APIClient, token_gate: Gate
) -> None:
    state = start(api)
    with meanwhile(lambda: call_back(api, state)) as called_back:
        token_gate.wait_for_visitor()
        (row,) = Connection.objects.all()
        assert (row.status, force(row).disconnected) == ("pending", 1)
        token_gate.is_open.set()
    assert called_back.result().status_code == 400
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    assert "refresh-1" in bank.revoked


def test_a_rolled_back_batch_revokes_nothing(owner: User, bank: Bank) -> None:
    row = connection_of(owner)

    def undo(_: DisconnectResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engine("providers", WHY, ORIGIN, in_commit=undo).end([row.pk])
    assert bank.revoked == []
    assert not RevocationJob.objects.exists()
