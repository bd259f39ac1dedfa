"""A standard OAuth server of somebody else's making: one TOML table, two variables, no code."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.core.vault import Sealed
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import JobState, RevocationJob
from providers.models import Connection, Status
from tests.conf.conftest import load
from tests.support.sandbox_server import SandboxHandle, authorize, introspect, running_sandbox

pytestmark = pytest.mark.django_db(transaction=True)

# The callback page of the profile for production is what the client has registered.
REDIRECT_URI = "https://connections.example.com/oauth/callback/sandbox"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder, redirect_uris=[REDIRECT_URI]) as handle:
        yield handle


@pytest.fixture(autouse=True)
def start(sandbox: SandboxHandle, settings: LazySettings) -> None:
    """Take the platforms from a start with nothing but that table and those variables."""
    started = load(
        OAUTH_CATALOG=str(sandbox.catalogue_path),
        OAUTH_SANDBOX_CLIENT_ID=sandbox.client_id,
        OAUTH_SANDBOX_CLIENT_SECRET=sandbox.client_secret,
    )
    settings.CATALOG_FILES = started["CATALOG_FILES"]
    settings.OAUTH_CLIENTS, settings.PUBLIC_URL = started["OAUTH_CLIENTS"], started["PUBLIC_URL"]


def connect(api: APIClient, sandbox: SandboxHandle, **how: Any) -> Any:
    """Walk sign-in and consent as a browser, and call back with all that came."""
    body = {"provider_slug": "sandbox"}
    begun = api.post("/api/v1/providers", body, format="json").json()
    target = urlsplit(authorize(sandbox, begun["authorization_url"], **how))
    assert target._replace(query="").geturl() == REDIRECT_URI
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert query["state"] == begun["state"]
    return api.post("/api/v1/providers/callback", query_params=query)


@pytest.fixture
def connection(api: APIClient, sandbox: SandboxHandle) -> Connection:
    answer = connect(api, sandbox)
    assert answer.status_code == 201, answer.content
    return Connection.objects.get(pk=answer.json()["id"])


def refresh(api: APIClient, connection: Connection) -> int:
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    return api.post(path, {"force": True}, format="json").status_code


def tokens_of(connection: Connection) -> TokenSet:
    connection.refresh_from_db()
    return connection.opened()


def are_alive(sandbox: SandboxHandle, tokens: TokenSet) -> list[bool]:
    both = [tokens.access_token, tokens.refresh_token or ""]
    return [introspect(sandbox, token)["active"] for token in both]


def test_it_is_connected(connection: Connection, sandbox: SandboxHandle) -> None:
    assert connection.status == Status.ACTIVE
    assert connection.platform_account_id
    assert are_alive(sandbox, tokens_of(connection)) == [True, True]


def test_a_declined_consent_leaves_no_row(api: APIClient, sandbox: SandboxHandle) -> None:
    answer = connect(api, sandbox, allow=False)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/authorization_declined")
    assert not Connection.objects.exists()


def test_two_of_its_people_are_two_connections(
    connection: Connection, api: APIClient, sandbox: SandboxHandle
) -> None:
    other = connect(api, sandbox, person="grace")
    assert other.status_code == 201
    again = connect(api, sandbox)
    assert again.json()["id"] == str(connection.pk) != other.json()["id"]


def test_accounts_and_transactions_are_read(connection: Connection, api: APIClient) -> None:
    body: dict[str, Any] = {"connection_id": str(connection.pk)}
    synced = api.post("/api/v1/accounts/syncs", body, format="json")
    assert synced.status_code == 201
    accounts = api.get("/api/v1/accounts").json()["data"]
    assert synced.json()["created"] == len(accounts) > 0
    assert synced.json()["errors"] == 0
    path = f"/api/v1/accounts/{accounts[0]['id']}/transactions"
    movements = api.get(path).json()["data"]
    assert movements
    assert all(Decimal(one["amount"]) for one in movements)
    forced = body | {"force": True}
    again = api.post("/api/v1/accounts/syncs", forced, format="json").json()
    assert (again["created"], again["unchanged"]) == (0, len(accounts))


def test_a_refresh_rotates(connection: Connection, api: APIClient, sandbox: SandboxHandle) -> None:
    old = tokens_of(connection)
    assert refresh(api, connection) == 201
    new = tokens_of(connection)
    assert new.refresh_token != old.refresh_token
    assert are_alive(sandbox, old) == [False, False]
    assert are_alive(sandbox, new) == [True, True]
    assert refresh(api, connection) == 201


def test_a_reused_refresh_token_ends_the_grant(
    connection: Connection, api: APIClient, sandbox: SandboxHandle
) -> None:
    stolen: Sealed | None = connection.auth_state
    assert refresh(api, connection) == 201
    alive = tokens_of(connection)
    Connection.objects.filter(pk=connection.pk).update(auth_state=stolen)
    assert refresh(api, connection) == 502
    connection.refresh_from_db()
    assert connection.status == Status.EXPIRED
    assert are_alive(sandbox, alive) == [False, False]


def test_a_disconnect_is_over_on_both_sides(
    connection: Connection, api: APIClient, sandbox: SandboxHandle
) -> None:
    assert refresh(api, connection) == 201
    tokens = tokens_of(connection)
    answer = api.delete(f"/api/v1/auth/{connection.pk}/disconnect")
    assert (answer.status_code, answer.json()) == (200, {"message": "Provider disconnected"})
    assert are_alive(sandbox, tokens) == [False, False]
    connection.refresh_from_db()
    assert (connection.status, connection.auth_state) == (Status.DISCONNECTED, None)
    job = RevocationJob.objects.get()
    assert (job.state, job.attempts, job.sealed_tokens) == (JobState.REVOKED, 1, None)
    assert refresh(api, connection) == 403


def test_reconnecting_makes_a_new_working_connection(
    connection: Connection, api: APIClient, sandbox: SandboxHandle
) -> None:
    api.delete(f"/api/v1/providers/{connection.pk}")
    answer = connect(api, sandbox)
    assert answer.status_code == 201
    assert answer.json()["id"] != str(connection.pk)
    assert refresh(api, Connection.objects.get(pk=answer.json()["id"])) == 201
