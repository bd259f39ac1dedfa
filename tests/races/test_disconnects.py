"""Disconnects beside each other, and beside whatever is under way: the disconnect wins."""

from collections.abc import Callable
from functools import partial

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold, JobState, RevocationJob
from providers.models import Account, Connection, Status
from tests.conftest import SignIn, UseCatalogue
from tests.races.conftest import Gate, at_once, meanwhile
from tests.support.bank import Bank, call_back, connect, start
from tests.support.platform_server import Answer

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]


def disconnect(client: APIClient, connection: Connection) -> int:
    return client.delete(f"/api/v1/auth/{connection.pk}/disconnect").status_code


def delete(client: APIClient, connection: Connection) -> int:
    return client.delete(f"/api/v1/providers/{connection.pk}").status_code


def events(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def is_over(connection: Connection) -> bool:
    """Whether nothing is left, neither in the row nor among the jobs."""
    connection.refresh_from_db()
    jobs = RevocationJob.objects.all()
    return (
        connection.status == Status.DISCONNECTED
        and connection.auth_state is None
        and not GrantHold.objects.exists()
        and all(job.state == JobState.REVOKED and job.sealed_tokens is None for job in jobs)
    )


def test_fifty_disconnects_are_one_event(
    bank: Bank, api: APIClient, make_clients: MakeClients, no_limits: None
) -> None:
    connection = connect(api)
    statuses = at_once([partial(disconnect, one, connection) for one in make_clients(50)])
    assert statuses == [200] * 50
    assert events("provider_disconnected") == events("token_revoked") == 1
    assert bank.revoked == ["refresh-1", "access-1"]
    assert is_over(connection)


def test_many_deletions_end_and_delete_it_once(
    bank: Bank, api: APIClient, make_clients: MakeClients
) -> None:
    connection = connect(api)
    statuses = at_once([partial(delete, one, connection) for one in make_clients(12)])
    assert sorted(statuses) == [204, 204] + [404] * 10
    assert events("provider_disconnected") == events("provider_deleted") == 1
    assert bank.revoked == ["refresh-1", "access-1"]
    assert is_over(connection)


def test_a_disconnect_wins_over_a_refresh(
    bank: Bank, api: APIClient, make_clients: MakeClients
) -> None:
    connection = connect(api)
    gate = Gate(bank.tokens)
    bank.server.on("POST", "/token", gate)
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    (refreshing,) = make_clients(1)
    with meanwhile(lambda: refreshing.post(path, {"force": True}, format="json")) as refreshed:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert refreshed.result().status_code == 403
    assert bank.revoked == ["refresh-1", "access-1", "refresh-2", "access-2"]
    assert events("provider_token_refreshed") == 0
    assert is_over(connection)


def test_a_disconnect_wins_over_a_failing_refresh(
    bank: Bank, api: APIClient, make_clients: MakeClients
) -> None:
    connection = connect(api)
    gate = Gate(lambda: Answer(400, json={"error": "invalid_grant"}))
    bank.server.on("POST", "/token", gate)
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    (refreshing,) = make_clients(1)
    with meanwhile(lambda: refreshing.post(path, {"force": True}, format="json")) as refreshed:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert refreshed.result().status_code in {403, 502}
    assert is_over(connection)


@pytest.mark.parametrize("calls", [1, 2])
def test_a_disconnect_wins_over_a_callback(
    bank: Bank, api: APIClient, make_clients: MakeClients, token_gate: Gate, calls: int
) -> None:
    """A second DELETE even takes the row out of sight while the platform is being asked."""
    state = start(api)
    (caller,) = make_clients(1)
    with meanwhile(lambda: call_back(caller, state)) as called_back:
        token_gate.wait_for_visitor()
        listed = api.get("/api/v1/providers").json()["connections"]
        assert [one["status"] for one in listed] == ["pending"]
        connection = Connection.objects.get(pk=listed[0]["id"])
        assert [delete(api, connection) for _ in range(calls)] == [204] * calls
        token_gate.is_open.set()
    answer = called_back.result()
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/invalid_state")
    assert bank.revoked == ["refresh-1", "access-1"]
    assert events("provider_connected") == 0
    assert is_over(connection)


def test_a_disconnect_during_a_reauthorisation_wins(
    bank: Bank, api: APIClient, make_clients: MakeClients
) -> None:
    connection = connect(api)
    state = start(api, connection_id=str(connection.pk))
    gate = Gate(bank.identity)
    bank.server.on("GET", "/me", gate)
    (caller,) = make_clients(1)
    with meanwhile(lambda: call_back(caller, state)) as called_back:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert called_back.result().status_code == 400
    assert bank.revoked == ["refresh-1", "access-1", "refresh-2", "access-2"]
    assert is_over(connection)


def test_a_disconnect_wins_over_a_sync(
    bank: Bank, api: APIClient, make_clients: MakeClients
) -> None:
    connection = connect(api)
    gate = Gate(lambda: Answer(json={"accounts": [{"id": "acc-1", "name": "Late"}]}))
    bank.server.on("GET", "/accounts", gate)
    body = {"connection_id": str(connection.pk)}
    (syncing,) = make_clients(1)
    with meanwhile(lambda: syncing.post("/api/v1/accounts/syncs", body, format="json")) as synced:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert synced.result().status_code == 403
    assert not Account.objects.exists()
    assert is_over(connection)


# Each round is another chance to collide.
@pytest.mark.parametrize("_round", range(3))
def test_one_of_two_last_siblings_revokes(
    bank: Bank,
    use_catalogue: UseCatalogue,
    api: APIClient,
    outsider: User,
    sign_in: SignIn,
    _round: int,
) -> None:
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")
    other = sign_in(outsider)
    mine, theirs = connect(api), connect(other)
    statuses = at_once([lambda: disconnect(api, mine), lambda: disconnect(other, theirs)])
    assert statuses == [200, 200]
    assert RevocationJob.objects.count() == 1
    assert len(bank.revoked) == 2
    decisions = AuditEvent.objects.filter(action="provider_disconnected")
    recorded = sorted(event.details["revocation"] for event in decisions)
    assert recorded == ["pending", "shared_grant"]
    assert is_over(mine)
    assert is_over(theirs)
