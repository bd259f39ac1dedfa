"""Grants that die of disuse are renewed at half of their life, and no idle one besides."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.connections.ending_grants import note_ending_grants
from connections_project.connections.renewal import (
    MOST_OF_A_PLATFORM,
    TRIES_ARE_APART,
    renew_ending_grants,
)
from connections_project.core import storable
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.identity.models import User
from connections_project.revocation.models import CallCircuit
from providers.models import Connection
from tests.races.conftest import PATIENCE, Gate, meanwhile, wait_until
from tests.support.bank import Bank, connect
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of, events

# Several are renewed at a time, by threads.
pytestmark = pytest.mark.django_db(transaction=True)
LIFE = 180 * 86400


@pytest.fixture
def mortal(bank: Bank) -> Bank:
    """Make each answer say when its refresh token ends."""
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_expires_in=LIFE))
    return bank


def later(**span: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**span), tick=True)


def test_it_is_renewed_when_half_of_its_life_is_over(api: APIClient, mortal: Bank) -> None:
    connection = connect(api)
    with later(days=89):
        assert renew_ending_grants() == 0
    with later(days=91):
        assert renew_ending_grants() == 1
        assert renew_ending_grants() == 0
    row = Connection.objects.get(pk=connection.pk)
    assert row.opened().refresh_token == "refresh-2"
    assert row.renew_at is not None
    assert row.renew_at - timezone.now() > timedelta(days=180)
    (event,) = events("provider_token_refreshed")
    assert (event.actor_type, event.interface) == ("system", "worker")


def test_an_idle_one_with_no_known_end_is_left(api: APIClient, bank: Bank) -> None:
    connect(api)
    with later(days=3650):
        assert renew_ending_grants() == 0
    assert len(bank.server.requests_to("/token")) == 1


def test_an_unmovable_end_is_left_alone(api: APIClient, bank: Bank, use_catalogue: Any) -> None:
    use_catalogue(bank.catalogue(more="grant_lifetime_days = 7"), "bank")
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_expires_in=7 * 86400))
    connect(api)
    with later(days=5):
        assert renew_ending_grants() == 0


def test_a_fault_is_tried_again_hours_later(api: APIClient, mortal: Bank) -> None:
    connect(api)
    mortal.server.on("POST", "/token", Answer(503))
    with later(days=91):
        assert renew_ending_grants() == renew_ending_grants() == 0
    assert len(mortal.token_requests("refresh_token")) == 1
    mortal.server.on("POST", "/token", lambda _: mortal.tokens(refresh_expires_in=LIFE))
    with later(days=91, seconds=TRIES_ARE_APART.total_seconds() + 60):
        assert renew_ending_grants() == 1


@pytest.mark.parametrize("status", ["expired", "revoked", "disconnected"])
def test_what_is_not_in_use_is_never_renewed(owner: Any, mortal: Bank, status: str) -> None:
    connection_of(owner, status=status)
    Connection.objects.update(renew_at=timezone.now())
    assert renew_ending_grants() == 0
    assert not mortal.server.requests_to("/token")


def test_a_disconnect_takes_it_off_the_list(api: APIClient, mortal: Bank) -> None:
    connection = connect(api)
    api.delete(f"/api/v1/providers/{connection.pk}")
    connection.refresh_from_db()
    assert connection.renew_at is None


def due_at(owner: User, number: int, slug: str = "bank", **span: float) -> list[Any]:
    """Have so many connections that are due, some time apart from now."""
    rows = [connection_of(owner, slug=slug, account_id=str(one)) for one in range(number)]
    renew_at = timezone.now() + timedelta(**span)
    Connection.objects.filter(pk__in=[row.pk for row in rows]).update(renew_at=renew_at)
    return rows


@pytest.fixture
def other(bank: Bank, use_catalogue: Any) -> str:
    """Beside the bank stands another platform."""
    there = bank.catalogue("other").replace("/token", "/other-token")
    use_catalogue(bank.catalogue() + there, "bank", "other")
    bank.server.on("POST", "/other-token", lambda _: bank.tokens())
    return "other"


def test_a_platform_that_hangs_holds_up_no_other(owner: User, bank: Bank, other: str) -> None:
    due_at(owner, 10, days=-2)
    rows = due_at(owner, 5, other, days=-1)
    bank.server.on("POST", "/token", gate := Gate(bank.tokens))
    with meanwhile(renew_ending_grants) as renewing:
        try:
            wait_until(lambda: len(bank.server.requests_to("/other-token")) == len(rows))
            assert gate.visitors <= MOST_OF_A_PLATFORM
        finally:
            gate.is_open.set()
    assert renewing.result(PATIENCE) == 15


def test_one_that_is_away_is_left_alone(owner: User, bank: Bank, other: str) -> None:
    due_at(owner, 12, days=-2)
    due_at(owner, 2, other, days=-1)
    bank.server.on("POST", "/token", Answer(503, headers={"Retry-After": "600"}))
    assert renew_ending_grants() == 2
    asked = len(bank.server.requests_to("/token"))
    assert FAILURES_TO_OPEN <= asked < FAILURES_TO_OPEN + MOST_OF_A_PLATFORM
    assert renew_ending_grants() == 0
    assert len(bank.server.requests_to("/token")) == asked
    # The others are due as before, and it is asked once first.
    CallCircuit.objects.update(blocked_until=None)
    renew_ending_grants()
    assert len(bank.server.requests_to("/token")) == asked + 1
    CallCircuit.objects.update(blocked_until=None)
    bank.server.on("POST", "/token", lambda _: bank.tokens())
    assert renew_ending_grants() == 12 - asked - 1
    assert CallCircuit.objects.get().faults == 0


def test_one_that_has_had_enough_is_asked_by_the_next_run(
    owner: User, bank: Bank, other: str
) -> None:
    due_at(owner, 12, days=-2)
    due_at(owner, 2, other, days=-1)
    bank.server.on("POST", "/token", Answer(429, headers={"Retry-After": "600"}))
    assert renew_ending_grants() == 2
    asked = len(bank.server.requests_to("/token"))
    assert asked <= MOST_OF_A_PLATFORM
    # It is up, so requests are not kept from it, and what was not asked for is due as before.
    assert not CallCircuit.objects.exists()
    bank.server.on("POST", "/token", lambda _: bank.tokens())
    assert renew_ending_grants() == 12 - asked


def test_what_could_not_be_stored_stays_due(
    owner: User, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_at(owner, 20, days=-1)
    monkeypatch.setattr(storable, "memory", storable.Memory())
    monkeypatch.setattr(storable, "REMEMBERED_SECONDS", 60.0)
    storable.memory.refuse()
    with pytest.raises(storable.NotStorableError):
        renew_ending_grants()
    assert bank.server.requests_to("/token") == []
    assert Connection.objects.filter(renew_at__lte=timezone.now()).count() == 20


def test_refusals_of_grants_leave_no_platform_alone(owner: User, bank: Bank) -> None:
    due_at(owner, 8)
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert renew_ending_grants() == 0
    assert len(bank.server.requests_to("/token")) == 8


@pytest.mark.parametrize(("hours", "told"), [(1, 0), (25, 1)])
def test_its_end_is_told_where_a_platform_is_away_for_long(
    owner: User, bank: Bank, hours: int, told: int
) -> None:
    until = timezone.now() + timedelta(minutes=1)
    CallCircuit.objects.create(platform="bank", faults=FAILURES_TO_OPEN, blocked_until=until)
    (row,) = due_at(owner, 1, hours=-hours)
    ends_at = timezone.now() + timedelta(days=3)
    Connection.objects.update(grant_expires_at=ends_at, ending_notice_at=timezone.now())
    assert (renew_ending_grants(), note_ending_grants()) == (0, told)
    row.refresh_from_db()
    assert row.attention_reason == ("grant_ending" if told else None)


def test_with_nothing_due_it_is_one_statement_a_type(
    db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):
        renew_ending_grants()
