"""`POST /providers/{id}/token-refreshes` (docs/api.md, "Refreshing tokens")."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.platforms.models import Suspension
from providers.models import Connection
from tests.support.bank import Bank, connect
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of, events


def refresh(api: APIClient, connection_id: object, **body: Any) -> Any:
    url = f"/api/v1/providers/{connection_id}/token-refreshes"
    return api.post(url, body, format="json")


@pytest.fixture
def row(owner: User, bank: Bank) -> Connection:
    """A connection with access-0 and refresh-0, good for half an hour."""
    return connection_of(owner)


def in_(**later: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**later), tick=False)


def test_a_token_with_time_left_is_left_alone(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    answer = refresh(api, row.pk)
    assert answer.status_code == 201
    assert set(answer.json()) == {"success", "message", "expires_at"}
    assert (answer.json()["success"], answer.json()["message"]) == (True, "Token still valid")
    ends = datetime.fromisoformat(answer.json()["expires_at"])
    assert abs(ends - timezone.now() - timedelta(seconds=1800)) < timedelta(seconds=5)
    assert bank.token_requests("refresh_token") == []


def test_forced_it_is_refreshed_anyway(api: APIClient, row: Connection, bank: Bank) -> None:
    answer = refresh(api, row.pk, force=True)
    assert (answer.status_code, answer.json()["message"]) == (201, "Token refreshed")
    (sent,) = bank.token_requests("refresh_token")
    assert sent.form["refresh_token"] == "refresh-0"
    row.refresh_from_db()
    assert row.opened() == TokenSet("access-1", "refresh-1")
    assert row.status == "active"


# The margin is the smaller of 5 minutes and half the lifetime.
@pytest.mark.parametrize(
    ("lifetime", "left", "refreshed"),
    [(1800, 301, False), (1800, 299, True), (1800, -9999, True), (60, 31, False), (60, 29, True)],
)
def test_the_margin_decides(
    api: APIClient, owner: User, bank: Bank, lifetime: int, left: int, refreshed: bool
) -> None:
    now = timezone.now()
    issued = now - timedelta(seconds=lifetime - left)
    tokens = TokenSet("access-0", "refresh-0", expires_in=lifetime)
    row = connection_of(owner, tokens=tokens, now=issued)
    with time_machine.travel(now, tick=False):
        answer = refresh(api, row.pk)
    assert answer.status_code == 201
    assert bool(bank.token_requests("refresh_token")) is refreshed


def test_an_unknown_expiry_is_refreshed_by_force_only(
    api: APIClient, owner: User, bank: Bank
) -> None:
    row = connection_of(owner, tokens=TokenSet("access-0", "refresh-0"))
    answer = refresh(api, row.pk)
    assert answer.json() == {"success": True, "message": "Token still valid", "expires_at": None}
    assert refresh(api, row.pk, force=True).json()["message"] == "Token refreshed"


@pytest.mark.parametrize("expires_in", [None, 60])
def test_without_a_refresh_token_it_is_left_alone(
    api: APIClient, owner: User, bank: Bank, expires_in: int | None
) -> None:
    row = connection_of(owner, tokens=TokenSet("access-0", expires_in=expires_in))
    with in_(minutes=1):
        answer = refresh(api, row.pk)
    assert answer.status_code == 201
    assert answer.json()["message"] == "Token still valid"
    assert (answer.json()["expires_at"] is None) is (expires_in is None)


def test_without_a_refresh_token_forcing_is_a_403(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner, tokens=TokenSet("access-0"))
    assert refresh(api, row.pk, force=True).status_code == 403
    assert bank.server.requests == []


def test_an_omitted_refresh_token_keeps_the_stored(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_token=None))
    assert refresh(api, row.pk, force=True).status_code == 201
    row.refresh_from_db()
    assert row.opened() == TokenSet("access-1", "refresh-0")
    assert row.has_refresh_token
    assert refresh(api, row.pk, force=True).status_code == 201
    assert [one.form["refresh_token"] for one in bank.token_requests("refresh_token")] == [
        "refresh-0", "refresh-0",
    ]  # fmt: skip


def test_an_omitted_lifetime_means_unknown_expiry(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    bank.expires_in = None
    assert refresh(api, row.pk, force=True).json()["expires_at"] is None


def test_the_new_end_is_answered(api: APIClient, row: Connection, bank: Bank) -> None:
    answer = refresh(api, row.pk, force=True)
    row.refresh_from_db()
    assert row.token_expires_at is not None
    assert answer.json()["expires_at"] == row.token_expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_expired_connection_may_become_active(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner, status="expired")
    answer = refresh(api, row.pk)
    assert (answer.status_code, answer.json()["message"]) == (201, "Token refreshed")
    row.refresh_from_db()
    assert row.status == "active"


@pytest.mark.parametrize("status", ["pending", "revoked", "failed", "disconnected"])
@pytest.mark.parametrize("force", [False, True])
def test_in_any_other_status_it_is_a_403(
    api: APIClient, owner: User, bank: Bank, status: str, force: bool
) -> None:
    row = connection_of(owner, status=status)
    answer = refresh(api, row.pk, force=force)
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (403, "forbidden")
    assert bank.server.requests == []


@pytest.mark.parametrize("force", [False, True])
def test_a_suspended_platform_is_a_503(api: APIClient, row: Connection, force: bool) -> None:
    Suspension.objects.create(slug="bank", reason="broken", suspended_at=timezone.now())
    answer = refresh(api, row.pk, force=force)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("/provider_unavailable")


def test_no_client_credentials_or_platform_is_503(
    api: APIClient, row: Connection, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(bank.catalogue())
    assert refresh(api, row.pk, force=True).status_code == 503
    use_catalogue("")
    assert refresh(api, row.pk, force=True).status_code == 503


def test_success_and_failure_are_audited(api: APIClient, row: Connection, bank: Bank) -> None:
    refresh(api, row.pk)
    assert events("provider_token_refreshed") == []
    answer = refresh(api, row.pk, force=True)
    (event,) = events("provider_token_refreshed")
    assert (event.subject_id, event.trace_id) == (row.pk, answer["X-Trace-Id"])
    assert event.details == {"platform": "bank"}
    bank.server.on("POST", "/token", Answer(500))
    refresh(api, row.pk, force=True)
    (event,) = events("provider_token_refresh_failed")
    assert (event.outcome, event.details) == (
        "failure", {"platform": "bank", "error": "server_error"},
    )  # fmt: skip


def test_no_body_at_all_is_an_unforced_refresh(api: APIClient, row: Connection) -> None:
    answer = api.post(f"/api/v1/providers/{row.pk}/token-refreshes")
    assert (answer.status_code, answer.json()["message"]) == (201, "Token still valid")


@pytest.mark.parametrize("force", ["true", 1, None, [], {}])
def test_a_non_boolean_force_is_a_400(api: APIClient, row: Connection, force: object) -> None:
    answer = refresh(api, row.pk, force=force)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == ["force"]


def test_foreign_unknown_and_malformed(
    api: APIClient, outsider: User, row: Connection, sign_in: Callable[[User], APIClient]
) -> None:
    assert refresh(sign_in(outsider), row.pk, force=True).status_code == 403
    assert refresh(api, uuid7()).status_code == 404
    assert refresh(api, "nonsense").status_code == 404
    assert refresh(api, str(row.pk).upper()).status_code == 201


def test_a_fixed_end_of_the_grant_survives_a_refresh(
    api: APIClient, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(bank.catalogue(more="grant_lifetime_days = 7"), "bank")
    row = connect(api)
    ends = row.grant_expires_at
    assert ends is not None
    assert refresh(api, row.pk, force=True).status_code == 201
    row.refresh_from_db()
    # Seven days from the login on, whatever is refreshed.
    assert row.grant_expires_at == ends
