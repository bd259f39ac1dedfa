"""A grant that the platform no longer honours: only the user can give a new one (3.7)."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import GrantHold
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of, events

UseCatalogue = Callable[..., None]


def refresh(api: APIClient, row: Connection) -> Any:
    url = f"/api/v1/providers/{row.pk}/token-refreshes"
    return api.post(url, {"force": True}, format="json")


def status_of(row: Connection) -> str:
    row.refresh_from_db()
    return row.status


def test_invalid_grant_is_a_502_and_expires_it(api: APIClient, row: Connection, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert refresh(api, row).status_code == 502
    assert status_of(row) == "expired"
    shown = api.get(f"/api/v1/providers/{row.pk}").json()
    assert (shown["is_connected"], shown["needs_reauthentication"]) == (False, True)
    (event,) = events("provider_token_refresh_failed")
    assert event.details == {"platform": "bank", "error": "dead_grant", "becomes": "expired"}


def test_the_tokens_are_kept_until_the_disconnect(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    refresh(api, row)
    row.refresh_from_db()
    # The access token may live on, so the disconnect has something to revoke.
    assert row.opened() == TokenSet("access-0", "refresh-0")


def test_a_dead_grant_is_held_by_nobody(api: APIClient, row: Connection, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert GrantHold.objects.count() == 1
    refresh(api, row)
    assert not GrantHold.objects.exists()
    bank.server.on("POST", "/token", lambda _: bank.tokens())
    assert refresh(api, row).status_code == 201
    assert GrantHold.objects.get().connection_id == row.pk


def test_a_still_dead_grant_stays_expired(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner, status="expired")
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert [refresh(api, row).status_code for _ in range(2)] == [502, 502]
    assert status_of(row) == "expired"


MATCHERS = """
dead_grant = [
    { status = 401, becomes = "expired" },
    { status = 400, error = "invalid_grant", text = "revoked by user", becomes = "revoked" },
    { text = "refresh_token_authentication_error", becomes = "revoked" },
    { status = 400, error = "190", becomes = "expired" },
]
"""


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(401, json={}), "expired"),
        # A status alone must not make our own misconfiguration a dead grant.
        (Answer(401, json={"error": "invalid_client"}), "active"),
        # The given list replaces the default.
        (Answer(400, json={"error": "invalid_grant"}), "active"),
        (Answer(400, json={"error": "invalid_grant", "x": "revoked by user"}), "revoked"),
        (Answer(403, json={"error": "invalid_grant", "x": "revoked by user"}), "active"),
        (Answer(403, body=b"<p>refresh_token_authentication_error</p>"), "revoked"),
        (Answer(200, json={"error": "refresh_token_authentication_error"}), "revoked"),
        (Answer(400, json={"error": {"code": 190}}), "expired"),
        (Answer(500, body=b"refresh_token_authentication_error"), "active"),
        (Answer(429, body=b"refresh_token_authentication_error"), "active"),
    ],
)
def test_the_catalogue_says_what_is_dead(
    api: APIClient,
    row: Connection,
    bank: Bank,
    use_catalogue: UseCatalogue,
    answer: Answer,
    status: str,
) -> None:
    use_catalogue(bank.catalogue(more=MATCHERS), "bank")
    bank.server.on("POST", "/token", answer)
    assert refresh(api, row).status_code == 502
    assert status_of(row) == status


def test_a_revoked_connection_cannot_be_refreshed(
    api: APIClient, row: Connection, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(more=MATCHERS), "bank")
    bank.server.on("POST", "/token", Answer(403, body=b"refresh_token_authentication_error"))
    assert [refresh(api, row).status_code for _ in range(2)] == [502, 403]
    assert len(bank.server.requests) == 1
