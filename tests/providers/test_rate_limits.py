"""Every limited endpoint draws on its own bucket and says so, also on errors."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from connections_project.connections import flow
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from providers.models import Connection
from tests.support.bank import Bank, start
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of

P = "/api/v1/providers"
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
READ, WRITE, CONNECT, SYNC, ANONYMOUS = (100, 50, 5, 10, 60)


def call(api: APIClient, method: str, url: str, body: Any = None) -> Any:
    return getattr(api, method)(url, body, format=None if body is None else "json")


# (burst, method, path, body); {id} is an own connection, {none} one that does not exist.
CALLS: list[tuple[int, str, str, Any]] = [
    (READ, "get", P, None),
    (READ, "get", f"{P}?active_only=maybe", None),
    (READ, "get", f"{P}/{{id}}", None),
    (READ, "get", f"{P}/{{none}}", None),
    (READ, "get", f"{P}/nonsense", None),
    (READ, "get", "/api/v1/accounts", None),
    (READ, "get", "/api/v1/accounts?limit=0", None),
    (READ, "get", "/api/v1/accounts/{none}/transactions", None),
    (WRITE, "patch", f"{P}/{{id}}", {"alias": "x"}),
    (WRITE, "patch", f"{P}/{{id}}", {"alias": 7}),
    (WRITE, "delete", f"{P}/{{id}}", None),
    (WRITE, "delete", f"{P}/{{none}}", None),
    (WRITE, "delete", "/api/v1/auth/{id}/disconnect", None),
    (WRITE, "delete", "/api/v1/auth/nonsense/disconnect", None),
    (CONNECT, "post", P, {"provider_slug": "bank"}),
    (CONNECT, "post", P, {"provider_slug": "unknown"}),
    (CONNECT, "post", P, {}),
    (CONNECT, "post", f"{P}/callback", None),
    (CONNECT, "post", f"{P}/callback?code=c&state=unknown", None),
    (SYNC, "post", f"{P}/{{id}}/token-refreshes", {}),
    (SYNC, "post", f"{P}/{{id}}/token-refreshes", {"force": "x"}),
    (SYNC, "post", f"{P}/{{none}}/token-refreshes", {}),
    (SYNC, "post", f"{P}/nonsense/token-refreshes", {}),
    (SYNC, "post", "/api/v1/accounts/syncs", {"connection_id": "{id}"}),
    (SYNC, "post", "/api/v1/accounts/syncs", {"connection_id": "nonsense"}),
    (SYNC, "post", "/api/v1/accounts/syncs", {"connection_id": 7}),
    (SYNC, "post", "/api/v1/accounts/syncs", {}),
]


@pytest.mark.parametrize(("burst", "method", "path", "body"), CALLS)
def test_each_call_shows_its_bucket(
    api: APIClient, row: Connection, burst: int, method: str, path: str, body: Any
) -> None:
    url = path.format(id=row.pk, none=uuid7())
    if body and body.get("connection_id") == "{id}":
        body = {"connection_id": str(row.pk)}
    answer = call(api, method, url, body)
    assert answer.status_code < 500
    limit, remaining, reset = (int(answer[name]) for name in HEADERS)
    assert (limit, remaining) == (burst, burst - 1)
    assert time.time() < reset <= time.time() + 61
    assert "Retry-After" not in answer


@pytest.mark.parametrize(("burst", "method", "path", "body"), CALLS[:1] + CALLS[10:15] + CALLS[19:])
def test_calls_without_credentials_count_by_address(
    anonymous: APIClient, row: Connection, burst: int, method: str, path: str, body: Any
) -> None:
    answer = call(anonymous, method, path.format(id=row.pk, none=uuid7()), body)
    assert answer.status_code in {401, 403}
    assert (answer[HEADERS[0]], answer[HEADERS[1]]) == (str(ANONYMOUS), str(ANONYMOUS - 1))


def test_malformed_json_and_platform_faults_show_it(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    url = "/api/v1/accounts/syncs"
    assert api.post(url, "{", content_type="application/json")[HEADERS[0]] == str(SYNC)
    assert api.post(url, "x", content_type="text/plain")[HEADERS[0]] == str(SYNC)
    bank.server.on("POST", "/token", Answer(500))
    answer = api.post(f"{P}/{row.pk}/token-refreshes", {"force": True}, format="json")
    assert (answer.status_code, answer[HEADERS[0]]) == (502, str(SYNC))


def test_an_unforeseen_error_shows_it_too(
    api: APIClient, row: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.api.views.own_connections", lambda _: 1 / 0)
    answer = api.get(P)
    assert (answer.status_code, answer[HEADERS[0]]) == (500, str(READ))
    assert answer["Content-Type"] == "application/problem+json"


def test_an_empty_bucket_is_a_429_and_does_nothing(
    api: APIClient, row: Connection, bank: Bank
) -> None:
    url = f"{P}/{row.pk}/token-refreshes"
    for _ in range(SYNC):
        assert api.post(url).status_code == 201
    answer = api.post(url, {"force": True}, format="json")
    assert answer.status_code == 429
    assert answer.json()["type"].endswith("/rate_limit_exceeded")
    assert (answer[HEADERS[0]], answer[HEADERS[1]]) == (str(SYNC), "0")
    # Five a minute: one token in twelve seconds.
    assert 1 <= int(answer["Retry-After"]) <= 12
    assert bank.server.requests == []


def test_sync_and_refresh_share_a_platforms_bucket(
    api: APIClient, row: Connection, owner: User, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(bank.catalogue() + bank.catalogue("broker"), "bank", "broker")
    sibling = connection_of(owner, account_id="another")
    broker = connection_of(owner, slug="broker")

    def left(connection_id: UUID) -> int:
        answer = api.post(f"{P}/{connection_id}/token-refreshes")
        return int(answer[HEADERS[1]])

    assert [left(row.pk), left(sibling.pk), left(broker.pk)] == [9, 8, 9]
    body = {"connection_id": str(row.pk)}
    assert api.post("/api/v1/accounts/syncs", body, format="json")[HEADERS[1]] == "7"


def test_a_recent_syncs_429_shows_bucket_and_wait(api: APIClient, row: Connection) -> None:
    body = {"connection_id": str(row.pk)}
    answers = [api.post("/api/v1/accounts/syncs", body, format="json") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 429]
    assert answers[1][HEADERS[1]] == "8"
    assert int(answers[1]["Retry-After"]) > 290


def test_principals_have_buckets_of_their_own(
    api: APIClient, outsider: User, bank: Bank, sign_in: Callable[[User], APIClient]
) -> None:
    assert [api.get(P)[HEADERS[1]] for _ in range(2)] == ["99", "98"]
    assert sign_in(outsider).get(P)[HEADERS[1]] == "99"


def test_a_callback_counts_for_the_states_user(
    api: APIClient, anonymous: APIClient, bank: Bank
) -> None:
    state = start(api)
    answer = anonymous.post(f"{P}/callback", query_params={"state": state, "code": "c"})
    assert (answer.status_code, answer[HEADERS[1]]) == (201, "3")


def test_a_limited_callback_keeps_the_state(
    api: APIClient, anonymous: APIClient, bank: Bank
) -> None:
    state = start(api)
    for _ in range(CONNECT - 1):
        api.post(P, {}, format="json")
    answer = anonymous.post(f"{P}/callback", query_params={"state": state, "code": "c"})
    assert answer.status_code == 429
    assert bank.server.requests == []
    assert flow.peek(state) is not None


def test_credential_refusals_run_out_in_path_format(anonymous: APIClient, row: Connection) -> None:
    url = f"/api/v1/auth/{row.pk}/disconnect"
    for _ in range(ANONYMOUS):
        assert anonymous.delete(url).status_code == 403
    answer = anonymous.delete(url)
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    assert int(answer["Retry-After"]) == 1


def test_foreign_and_unknown_ids_share_a_bucket(
    api: APIClient, row: Connection, outsider: User, sign_in: Callable[[User], APIClient]
) -> None:
    """What is left must not tell that somebody else's connection exists, nor where it leads."""
    caller = sign_in(outsider)
    left = [
        int(caller.post(f"/api/v1/providers/{one}/token-refreshes")["X-RateLimit-Remaining"])
        for one in (uuid7(), row.pk, uuid7(), row.pk)
    ]
    assert left == [9, 8, 7, 6]


def test_an_ipv6_network_is_one_caller(anonymous: APIClient) -> None:
    def left(address: str) -> int:
        answer = anonymous.get("/api/v1/providers", REMOTE_ADDR=address)
        return int(answer["X-RateLimit-Remaining"])

    assert [left(f"2001:db8::{number}") for number in (1, 2, "ffff:1")] == [59, 58, 57]
    assert left("2001:db8:0:1::1") == 59
    assert [left("192.0.2.1"), left("192.0.2.2")] == [59, 59]
