"""Errors of every kind, each held against the document: its status, its body, its headers."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from connections_project.api.rate_limits import Decision
from connections_project.identity.models import User
from providers.models import Connection, Status
from tests.openapi.conftest import Reading
from tests.support.bank import Bank, call_back, connect, start
from tests.support.openapi_client import ReadingClient
from tests.support.openapi_document import operations
from tests.support.platform_server import Answer

UNKNOWN = str(uuid4())
JSON = "application/json"
Operation = tuple[str, str, dict[str, Any]]


def all_operations(client: ReadingClient) -> list[Operation]:
    return list(operations(client.reader.document))


def call(client: ReadingClient, operation: Operation, body: Any = "{}", **more: Any) -> int:
    """Call an operation on ids that nobody knows, and give the status."""
    method, path, _ = operation
    answer = client.generic(
        method.upper(), path.replace("{id}", UNKNOWN), body, **{"content_type": JSON, **more}
    )
    status: int = answer.status_code
    return status


def name(operation: Operation) -> str:
    return str(operation[2]["operationId"])


def test_without_credentials_all_secured_refuse(reading: Reading) -> None:
    client = reading(None)
    for operation in all_operations(client):
        if {} not in (operation[2]["security"] or [{}]):
            expected = 403 if name(operation) == "disconnect_connection" else 401
            assert call(client, operation) == expected, operation[:2]


def test_bad_credentials_are_refused_wherever_read(reading: Reading) -> None:
    client = reading(None)
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    for operation in all_operations(client):
        if operation[2]["security"]:
            expected = 403 if name(operation) == "disconnect_connection" else 401
            assert call(client, operation) == expected, operation[:2]


@pytest.mark.usefixtures("unlimited")
def test_bad_bodies_are_refused(owners: ReadingClient, connection: Connection) -> None:
    for operation in all_operations(owners):
        if "requestBody" in operation[2]:
            method, path, described = operation
            at = (method, path.replace("{id}", str(connection.pk)), described)
            assert call(owners, at, "{") == 400, operation[:2]
            assert call(owners, at, "[]") == 400, operation[:2]
            assert call(owners, at, "a=b", content_type="text/plain") == 415, operation[:2]
            assert call(owners, at, b"x" * (1024 * 1024 + 1)) == 413, operation[:2]


@pytest.mark.usefixtures("unlimited")
def test_an_empty_body_fails_if_fields_are_required(
    owners: ReadingClient, connection: Connection
) -> None:
    for operation in all_operations(owners):
        if "requestBody" in operation[2]:
            method, path, described = operation
            at = (method, path.replace("{id}", str(connection.pk)), described)
            is_required = described["requestBody"].get("required", False)
            assert (call(owners, at, "{}") == 400) is is_required, operation[:2]


def test_bad_queries_are_refused(owners: ReadingClient) -> None:
    for operation in all_operations(owners):
        # Events are not for people: that is said first.
        wanted = 403 if operation[1] == "/api/v1/events" else 400
        assert call(owners, operation, QUERY_STRING="q=%00") == wanted, operation[:2]
    for query in ("/platforms?app=x", "/providers?active_only=x", "/accounts?limit=101&page=0"):
        assert owners.get(f"/api/v1{query}").json()["errors"]


def test_unknown_ids_are_not_found(owners: ReadingClient) -> None:
    for operation in all_operations(owners):
        if "{id}" in operation[1]:
            assert call(owners, operation) == 404, operation[:2]
    body = {"connection_id": UNKNOWN}
    assert owners.post("/api/v1/accounts/syncs", body, format="json").status_code == 404
    body = {"provider_slug": "unknown"}
    assert owners.post("/api/v1/providers", body, format="json").status_code == 404


def test_what_is_somebody_else_s_is_refused(
    reading: Reading, outsider: User, connection: Connection
) -> None:
    client = reading(outsider)
    for operation in all_operations(client):
        if "/providers/{id}" in operation[1]:
            method, path, described = operation
            at = (method, path.replace("{id}", str(connection.pk)), described)
            assert call(client, at, '{"alias": "mine"}') == 403, operation[:2]
    body = {"connection_id": str(connection.pk), "provider_slug": "bank"}
    for path in ("/api/v1/accounts/syncs", "/api/v1/providers"):
        assert client.post(path, body, format="json").status_code == 403
    assert client.delete(f"/api/v1/auth/{connection.pk}/disconnect").status_code == 404


def test_an_empty_bucket_refuses(owners: ReadingClient, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Decision(allowed=False, limit=5, remaining=0, reset_at=1_800_000_000, retry_after=12)
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: empty)
    for operation in all_operations(owners):
        if "x-rate-limit" in operation[2]:
            assert call(owners, operation) == 429, operation[:2]


def test_guessing_is_refused(reading: Reading, owner: User) -> None:
    client = reading(None)
    wrong = {"email": owner.email, "password": "wrong"}
    statuses = [
        client.post("/api/v1/auth/login", wrong, format="json").status_code for _ in range(6)
    ]
    assert statuses == [401, 401, 401, 401, 401, 429]


def test_bad_refresh_tokens_are_refused(reading: Reading) -> None:
    client = reading(None)
    for path in ("/api/v1/auth/refresh", "/api/v1/auth/logout"):
        assert client.post(path, {"refresh_token": "x"}, format="json").status_code == 401


@pytest.mark.parametrize(("raised", "status"), [(OperationalError, 503), (ZeroDivisionError, 500)])
def test_database_outages_and_defects_are_described(
    owners: ReadingClient,
    monkeypatch: pytest.MonkeyPatch,
    raised: type[Exception],
    status: int,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr("connections_project.api.views.ApiViewSet.check_permissions", fail)
    monkeypatch.setattr("providers.api.views.ConnectionViewSet.check_permissions", fail)
    for operation in all_operations(owners):
        assert call(owners, operation) == status, operation[:2]


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test call more often than the buckets allow."""
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


@pytest.fixture
def connection(owner: User, sign_in: Any, bank: Bank) -> Connection:
    return connect(sign_in(owner))


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"code": ""}, "validation_failed"),
        ({"iss": "https://elsewhere.example.com"}, "validation_failed"),
        ({"error": "access_denied"}, "authorization_declined"),
    ],
)
def test_refused_callbacks_are_described(
    owners: ReadingClient, bank: Bank, use_catalogue: Any, query: dict[str, str], problem: str
) -> None:
    use_catalogue(bank.catalogue(more='issuer = "https://bank.example.com"'), "bank")
    answer = call_back(owners, start(owners), **query)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(f"/{problem}")


def test_a_used_state_is_described(owners: ReadingClient, bank: Bank) -> None:
    state = start(owners)
    answers = [call_back(owners, state) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 400]
    assert answers[1].json()["type"].endswith("/invalid_state")


def test_failures_of_the_provider_are_described(
    owners: ReadingClient, bank: Bank, connection: Connection
) -> None:
    bank.server.on("POST", "/token", Answer(500))
    bank.server.on("GET", "/accounts", Answer(500))
    assert call_back(owners, start(owners)).status_code == 502
    refresh = f"/api/v1/providers/{connection.pk}/token-refreshes"
    assert owners.post(refresh, {"force": True}, format="json").status_code == 502
    body = {"connection_id": str(connection.pk)}
    assert owners.post("/api/v1/accounts/syncs", body, format="json").status_code == 502


def test_what_can_t_be_done_now_is_described(owners: ReadingClient, connection: Connection) -> None:
    # A client of ours is registered at the bank alone.
    body = {"provider_slug": "schwab"}
    assert owners.post("/api/v1/providers", body, format="json").status_code == 503
    sync = {"connection_id": str(connection.pk)}
    statuses = [owners.post("/api/v1/accounts/syncs", sync, format="json") for _ in range(2)]
    assert [one.status_code for one in statuses] == [201, 429]
    Connection.objects.update(status=Status.REVOKED)
    assert owners.post("/api/v1/accounts/syncs", sync, format="json").status_code == 403


def test_unknown_paths_and_methods_are_problems(owners: ReadingClient) -> None:
    assert owners.get("/api/v1/nothing").status_code == 404
    for method, path, _ in all_operations(owners):
        missing = {"get", "post", "patch", "delete"} - set(owners.reader.document["paths"][path])
        for other in (*missing, "put", "options"):
            assert call(owners, (other, path, {})) == 405, (method, path)
