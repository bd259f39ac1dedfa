"""One refresh at a time per connection; whoever comes second shares its result (3.7)."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections import lease
from connections_project.connections import refresh as shared
from connections_project.connections.errors import BusyError
from connections_project.core.ids import uuid7
from connections_project.oauth.client import TokenSet
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.database_threads import with_own_connection
from tests.support.disconnects import disconnect_one
from tests.support.platform_server import Answer, Request

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen while the lease is waited for, without a second thread."""

    def meanwhile(happens: Callable[[], object]) -> None:
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: happens())
        monkeypatch.setattr(lease, "time", clock)

    return meanwhile


def refresh(api: APIClient, row: Connection) -> Any:
    url = f"/api/v1/providers/{row.pk}/token-refreshes"
    return api.post(url, {"force": True}, format="json")


def leased(row: Connection, seconds: float) -> Connection:
    """Let another process hold the lease."""
    row.refresh_lease = uuid7()
    row.refresh_leased_until = timezone.now() + timedelta(seconds=seconds)
    row.save()
    return row


def test_the_lease_of_a_process_that_died_runs_out(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    leased(row, 0.3)
    began = time.monotonic()
    assert refresh(api, row).status_code == 201
    assert 0.2 < time.monotonic() - began < 1.5
    assert len(bank.token_requests("refresh_token")) == 1


def test_nobody_waits_for_ever(
    api: APIClient, row: Connection, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "WAIT_SECONDS", 0.3)
    leased(row, 15)
    answer = refresh(api, row)
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (
        503, "service_unavailable",
    )  # fmt: skip
    assert bank.server.requests == []


def test_a_wait_is_12_seconds_a_lease_is_longer(settings: LazySettings) -> None:
    assert lease.WAIT_SECONDS == 12
    assert (settings.REFRESH_LEASE_SECONDS, lease.longest_call()) == (15, 10)


def test_a_success_is_shared(
    api: APIClient, row: Connection, bank: Bank, meanwhile: Meanwhile
) -> None:
    other = leased(row, 15)

    def succeed() -> None:
        other.take_tokens(TokenSet("access-8", "refresh-8", expires_in=60), now=timezone.now())
        other.save()

    meanwhile(succeed)
    answer = refresh(api, row)
    assert (answer.status_code, answer.json()["message"]) == (201, "Token refreshed")
    assert bank.server.requests == []
    row.refresh_from_db()
    assert row.opened().access_token == "access-8"


def test_a_failure_is_shared(
    api: APIClient, row: Connection, bank: Bank, meanwhile: Meanwhile
) -> None:
    other = leased(row, 15)
    assert other.refresh_lease
    holder = other.refresh_lease
    meanwhile(lambda: lease.give_back(other, holder))
    assert refresh(api, row).status_code == 502
    assert bank.server.requests == []


def test_a_dead_grant_is_shared(
    api: APIClient, row: Connection, bank: Bank, meanwhile: Meanwhile
) -> None:
    other = leased(row, 15)

    def mark_dead() -> None:
        other.status = "expired"
        other.changed(now=timezone.now())
        other.save()

    meanwhile(mark_dead)
    assert refresh(api, row).status_code == 502
    assert bank.server.requests == []


def test_a_disconnect_is_shared(
    api: APIClient, row: Connection, bank: Bank, meanwhile: Meanwhile
) -> None:
    other = leased(row, 15)
    origin = Origin(ActorType.SYSTEM, None, Interface.COMMAND)
    meanwhile(lambda: disconnect_one(other, origin=origin))
    assert refresh(api, row).status_code == 403
    assert bank.server.requests == []


@pytest.mark.parametrize("answer", [Answer(500), Answer(400, json={"error": "invalid_grant"})])
def test_the_lease_is_given_back_whatever_happens(
    api: APIClient, row: Connection, bank: Bank, answer: Answer
) -> None:
    bank.server.on("POST", "/token", answer)
    refresh(api, row)
    row.refresh_from_db()
    assert (row.refresh_lease, row.refresh_leased_until) == (None, None)


def test_a_passed_on_lease_is_not_released(row: Connection) -> None:
    other = leased(row, 15)
    lease.give_back(row, uuid7())
    row.refresh_from_db()
    assert row.refresh_lease == other.refresh_lease is not None


def test_a_changed_row_cannot_be_leased(row: Connection) -> None:
    Connection.objects.update(epoch=row.epoch + 1)
    assert lease.take_lease(row) is None


def test_a_shorter_lease_makes_the_call_shorter_too(
    api: APIClient, row: Connection, bank: Bank, settings: LazySettings
) -> None:
    settings.REFRESH_LEASE_SECONDS = 1
    bank.server.on("POST", "/token", Answer(delay=5))
    began = time.monotonic()
    assert refresh(api, row).status_code == 502
    # Else a second process could send the same refresh token before the first one is through.
    assert time.monotonic() - began < 3


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_while_the_platform_is_asked(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    seen: list[Connection] = []

    def answer(_: Request) -> Answer:
        with_own_connection(lambda: seen.append(Connection.objects.get()))
        with_own_connection(lambda: Connection.objects.update(alias="written meanwhile"))
        return bank.tokens()

    bank.server.on("POST", "/token", answer)
    assert refresh(api, row).status_code == 201
    assert seen[0].refresh_lease is not None


def test_a_fast_clock_takes_over_no_lease(row: Connection) -> None:
    assert lease.take_lease(row) is not None
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        assert lease.take_lease(row) is None
        with pytest.raises(BusyError):
            lease.wait_for_result(row, until=time.monotonic() + 0.2)
