"""Disconnects beside each other, and beside whatever is under way: the disconnect wins."""

from collections.abc import Callable
from functools import partial

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold, JobState, RevocationJob
from providers.models import Account, Connection, Status
from tests.bank import Bank, call_back, connect, start
from tests.conftest import SignIn, UseCatalogue
from tests.races.conftest import Gate, at_once, meanwhile
from tests.servers import Answer

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

Crowd = Callable[[int], list[APIClient]]


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


def test_fifty_disconnects_at_once_all_succeed_and_are_one_event(
    bank: Bank, api: APIClient, crowd: Crowd, no_limits: None
) -> None:
    connection = connect(api)
    statuses = at_once([partial(disconnect, one, connection) for one in crowd(50)])
    assert statuses == [200] * 50
    assert events("provider_disconnected") == events("token_revoked") == 1
    assert bank.revoked == ["refresh-1", "access-1"]
    assert is_over(connection)


def test_many_deletions_at_once_are_one_disconnect_and_one_deletion(
    bank: Bank, api: APIClient, crowd: Crowd
) -> None:
    connection = connect(api)
    statuses = at_once([partial(delete, one, connection) for one in crowd(12)])
    assert sorted(statuses) == [204, 204] + [404] * 10
    assert events("provider_disconnected") == events("provider_deleted") == 1
    assert bank.revoked == ["refresh-1", "access-1"]
    assert is_over(connection)


def test_a_disconnect_during_a_refresh_wins_and_the_late_tokens_are_revoked(
    bank: Bank, api: APIClient, crowd: Crowd
) -> None:
    connection = connect(api)
    gate = Gate(bank.tokens)
    bank.server.on("POST", "/token", gate)
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    (refreshing,) = crowd(1)
    with meanwhile(lambda: refreshing.post(path, {"force": True}, format="json")) as refreshed:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert refreshed.result().status_code == 403
    assert bank.revoked == ["refresh-1", "access-1", "refresh-2", "access-2"]
    assert events("provider_token_refreshed") == 0
    assert is_over(connection)


def test_a_disconnect_during_a_refresh_that_fails_wins_too(
    bank: Bank, api: APIClient, crowd: Crowd
) -> None:
    connection = connect(api)
    gate = Gate(lambda: Answer(400, json={"error": "invalid_grant"}))
    bank.server.on("POST", "/token", gate)
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    (refreshing,) = crowd(1)
    with meanwhile(lambda: refreshing.post(path, {"force": True}, format="json")) as refreshed:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert refreshed.result().status_code in {403, 502}
    assert is_over(connection)


@pytest.mark.parametrize("calls", [1, 2])
def test_a_disconnect_during_a_callback_wins_and_the_late_tokens_are_revoked(
    bank: Bank, api: APIClient, crowd: Crowd, token_gate: Gate, calls: int
) -> None:
    """A second DELETE even takes the row out of sight while the platform is being asked."""
    state = start(api)
    (caller,) = crowd(1)
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
    bank: Bank, api: APIClient, crowd: Crowd
) -> None:
    connection = connect(api)
    state = start(api, connection_id=str(connection.pk))
    gate = Gate(bank.identity)
    bank.server.on("GET", "/me", gate)
    (caller,) = crowd(1)
    with meanwhile(lambda: call_back(caller, state)) as called_back:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert called_back.result().status_code == 400
    assert bank.revoked == ["refresh-1", "access-1", "refresh-2", "access-2"]
    assert is_over(connection)


def test_a_disconnect_during_a_sync_wins_and_nothing_is_stored(
    bank: Bank, api: APIClient, crowd: Crowd
) -> None:
    connection = connect(api)
    gate = Gate(lambda: Answer(json={"accounts": [{"id": "acc-1", "name": "Late"}]}))
    bank.server.on("GET", "/accounts", gate)
    body = {"connection_id": str(connection.pk)}
    (syncing,) = crowd(1)
    with meanwhile(lambda: syncing.post("/api/v1/accounts/syncs", body, format="json")) as synced:
        gate.wait_for_visitor()
        assert disconnect(api, connection) == 200
        gate.is_open.set()
    assert synced.result().status_code == 403
    assert not Account.objects.exists()
    assert is_over(connection)


# Each round is another chance to collide.
@pytest.mark.parametrize("_round", range(3))
def test_of_two_last_siblings_of_a_grant_exactly_one_tells_the_platform(
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
    told = sorted(event.details["revocation"] for event in decisions)
    assert told == ["pending", "shared_grant"]
    assert is_over(mine)
    assert is_over(theirs)
