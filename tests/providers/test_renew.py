"""Grants that die of disuse are renewed at half of their life, and no idle one besides."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.connections.renewal import TRIES_ARE_APART, renew_ending_grants
from providers.models import Connection
from tests.support.bank import Bank, connect
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of, events

pytestmark = pytest.mark.django_db
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


def test_with_nothing_due_it_is_one_statement_a_type(
    db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):
        renew_ending_grants()
